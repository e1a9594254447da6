// Arguments: `--name value` pairs of a bench program. Any mistake ends the program with a sentence.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::bench {

class Arguments {
 public:
  Arguments(int count, char** values) : count_(count), values_(values) {}

  // The text of `--name`; ends the program when it is absent.
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] uint64_t number(std::string_view name, uint64_t otherwise) const;
  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }

 private:
  [[nodiscard]] const char* find(std::string_view name) const;

  int count_;
  char** values_;
};

}  // namespace sluice::bench
