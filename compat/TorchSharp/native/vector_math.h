// Functions of one number that compilers turn into vector instructions, and how loops over them are compiled.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

// Loops are plain C++; the compiler makes a version of a function for each of these, and the loader picks one.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_EACH_CPU __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_CPU
#endif

// A loop that calls a function is not turned into vector instructions, and compilers inline only so much by themselves.
#define INLINE inline __attribute__((always_inline))

// x = n ln 2 + r with |r| <= ln 2 / 2, for x <= 0 (Cody and Waite's reduction); e^x = 2^n e^r.
struct ReducedExponent {
  float power;  // 2^n
  float rest;   // e^r - 1: the coefficients of the Taylor series are exact enough at degree 7
};

INLINE ReducedExponent reduce_exponent(float x) {
  x = x < -87.0f ? -87.0f : x;
  const float n = std::floor(x * 1.44269504088896341f + 0.5f);
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  const int32_t bits = (static_cast<int32_t>(n) + 127) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return {power, p * r};
}

// e^x for x <= 0 within 2 units in the last place.
INLINE float exponential(float x) {
  const auto [power, rest] = reduce_exponent(x);
  return (rest + 1.0f) * power;
}

// 1 / (1 + e^-x); 0 from where that is about the smallest of normal numbers.
INLINE float sigmoid(float x) {
  const float e = std::fabs(x) > 87.0f ? 0.0f : exponential(-std::fabs(x));
  const float inverse = 1.0f / (1.0f + e);
  return x >= 0 ? inverse : e * inverse;
}

// By e^(-2 |x|) - 1, which keeps its digits where x is small.
INLINE float hyperbolic_tangent(float x) {
  const auto [power, rest] = reduce_exponent(-2.0f * std::fabs(x));
  const float minus_one = rest * power + (power - 1.0f);
  return std::copysign(-minus_one / (2.0f + minus_one), x);
}
