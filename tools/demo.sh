#!/bin/sh
# The whole job on a simulated tissue: demo.sh PROGRAM [FOLDER]. Ends with the agreement with the
# known domains and where to look.
set -eu
program=$1
folder=${2:-out/demo}
tissue=$folder/tissue
result=$folder/result

"$program" simulate -n 4000 -k 7 --shape layers --seed 1 -o "$tissue" --force
echo "demo: simulated 4000 cells in 7 layers: $tissue" >&2
"$program" run --features "$tissue/features.npy" --coords "$tissue/coords.npy" \
  --labels "$tissue/labels.txt" -k 7 -o "$result" --force
ari=$("$program" score --labels "$result/domains.csv" --truth "$tissue/labels.txt" |
  sed -n 's/.*"ari": \([-0-9.e]*\),.*/\1/p')
echo "ARI       $ari"
echo "domains   $result/domains.csv"
echo "picture   $result/domains.svg"
echo "manifest  $result/manifest.json"
