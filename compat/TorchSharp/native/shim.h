// What the shim's source files share.
#pragma once

#include <ATen/ATen.h>

#include <exception>
#include <string>
#include <utility>

#include "torch_shim.h"

// Keeps the calling thread's message for ts_last_error.
void remember_error(std::string message) noexcept;

// Runs the body of an exported function: 0, or 1 and a message.
template <typename Body>
int guarded(Body body) noexcept {
  try {
    body();
    return 0;
  } catch (const c10::Error& error) {
    remember_error(error.what_without_backtrace());
  } catch (const std::exception& error) {
    remember_error(error.what());
  } catch (...) {
    remember_error("an exception of an unknown type");
  }
  return 1;
}

inline const at::Tensor& tensor_of(const ts_tensor* pointer) {
  return *reinterpret_cast<const at::Tensor*>(pointer);
}

// Rows of heads of contiguous numbers, wherever the rows lie: no row over another's numbers, as expanded tensors have.
inline at::Tensor with_dense_heads(const at::Tensor& tensor) {
  return tensor.stride(2) == 1 && tensor.stride(0) >= tensor.size(2) ? tensor : tensor.contiguous();
}

inline ts_tensor* new_tensor(at::Tensor tensor) {
  return tensor.defined() ? reinterpret_cast<ts_tensor*>(new at::Tensor(std::move(tensor))) : nullptr;
}
