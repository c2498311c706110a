// A call of an operator whose arguments are filled in by the names that its schema gives them: those of one libtorch are not those of
// the next, in number, order and name.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

class SchemaCall {
 public:
  // The operator's name, for example "aten::add"; it has no overload name.
  explicit SchemaCall(const char* name) : name_(name), handle_(c10::Dispatcher::singleton().findSchemaOrThrow(name, "")) {
    values_.resize(handle_.schema().arguments().size());
  }

  bool has(const std::string& argument) const { return find(argument) < values_.size(); }

  SchemaCall& set(const std::string& argument, c10::IValue value) {
    const auto index = find(argument);
    if (index == values_.size())
      throw std::invalid_argument(name_ + ": there is no argument '" + argument + "' in this libtorch");
    values_[index] = std::move(value);
    return *this;
  }

  // The first of these arguments that the schema has.
  SchemaCall& set_first(const std::vector<std::string>& arguments, c10::IValue value) {
    for (const auto& argument : arguments)
      if (has(argument)) return set(argument, std::move(value));
    return set(arguments.front(), std::move(value));
  }

  // Arguments that were not set take the schema's defaults.
  torch::jit::Stack call() {
    const auto& arguments = handle_.schema().arguments();
    torch::jit::Stack stack;
    for (size_t i = 0; i < values_.size(); ++i) {
      if (!values_[i] && !arguments[i].default_value())
        throw std::invalid_argument(name_ + ": argument '" + arguments[i].name() + "' has no default, and nothing is known to give it");
      stack.push_back(values_[i] ? std::move(*values_[i]) : *arguments[i].default_value());
    }
    handle_.callBoxed(stack);
    return stack;
  }

 private:
  size_t find(const std::string& argument) const {
    const auto& arguments = handle_.schema().arguments();
    size_t i = 0;
    while (i < arguments.size() && arguments[i].name() != argument) ++i;
    return i;
  }

  std::string name_;
  c10::OperatorHandle handle_;
  std::vector<std::optional<c10::IValue>> values_;
};
