#include "tests/simt/report.h"

#include <cxxabi.h>
#include <elf.h>
#include <link.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "engine/check.h"

namespace m2st::simt {

namespace {

std::uintptr_t load_address() {
  std::uintptr_t address = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        *static_cast<std::uintptr_t*>(out) = info->dlpi_addr;
        return 1;  // the program itself comes first
      },
      &address);
  return address;
}

// The linker's name of the function at `address`, from the program's own symbol table: dladdr does
// not know the functions of anonymous namespaces.
std::string symbol_at(std::uintptr_t address) {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  const std::vector<char> image{std::istreambuf_iterator<char>(file), {}};
  if (image.size() < sizeof(Elf64_Ehdr)) return "";
  const auto* header = reinterpret_cast<const Elf64_Ehdr*>(image.data());
  const auto* sections = reinterpret_cast<const Elf64_Shdr*>(image.data() + header->e_shoff);
  for (int k = 0; k < header->e_shnum; ++k) {
    if (sections[k].sh_type != SHT_SYMTAB) continue;
    const char* names = image.data() + sections[sections[k].sh_link].sh_offset;
    const auto* symbols = reinterpret_cast<const Elf64_Sym*>(image.data() + sections[k].sh_offset);
    for (std::size_t s = 0; s < sections[k].sh_size / sizeof(Elf64_Sym); ++s) {
      const bool function = ELF64_ST_TYPE(symbols[s].st_info) == STT_FUNC;
      if (function && symbols[s].st_value == address) return names + symbols[s].st_name;
    }
  }
  return "";
}

std::string demangled(const std::string& symbol) {
  int status = 0;
  char* text = abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status);
  const std::string name = status == 0 ? text : symbol;
  std::free(text);
  // "void space::name<T>(types)": neither the type in front nor the arguments.
  const std::size_t parameters =
      name.rfind(">(") != std::string::npos ? name.rfind(">(") + 1 : name.rfind('(');
  const std::size_t first = name.compare(0, 5, "void ") == 0 ? 5 : 0;
  return name.substr(first, parameters == std::string::npos ? parameters : parameters - first);
}

}  // namespace

void report(const std::string& what) {
  std::fflush(stdout);
  std::fprintf(stderr, "simt: %s\n", what.c_str());
  std::fflush(stderr);
  std::abort();
}

std::string function_name(const void* function) {
  const auto address = reinterpret_cast<std::uintptr_t>(function);
  const std::string symbol = symbol_at(address - load_address());
  return symbol.empty() ? concat("kernel at ", function) : demangled(symbol);
}

std::string text_of(const std::source_location& where) {
  const char* file = std::strrchr(where.file_name(), '/');
  return concat(file != nullptr ? file + 1 : where.file_name(), ":", where.line());
}

std::string text_of(uint3 index) { return concat("(", index.x, ",", index.y, ",", index.z, ")"); }

std::string text_of(dim3 size) { return concat(size.x, "x", size.y, "x", size.z); }

std::string text_of_mask(unsigned mask) {
  char text[16];
  std::snprintf(text, sizeof(text), "0x%08x", mask);
  return text;
}

}  // namespace m2st::simt
