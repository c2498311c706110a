// What kernels over the rows of a matrix share.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>

// Rows that one thread takes at a time. Fixed, so that sums don't depend on the count of threads.
constexpr int64_t kRowsPerTask = 32;

inline bool is_float_on_cpu(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kFloat && tensor.device().is_cpu();
}

[[noreturn]] inline void reject(const char* name, const char* expected) {
  throw std::invalid_argument(std::string(name) + ": expected " + expected);
}

template <typename Body>
void for_each_row(int64_t rows, Body body) {
  at::parallel_for(0, (rows + kRowsPerTask - 1) / kRowsPerTask, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task)
      for (int64_t row = task * kRowsPerTask; row < std::min(rows, (task + 1) * kRowsPerTask); ++row) body(row, task);
  });
}
