// Attention over packed sequences in one pass over tiles that stay in the cache: scores exist for one tile at a time, forward and
// backward (Dao et al., arXiv 2205.14135, do it for GPUs). A segment's parent is read where it lies, for all its children.
//
// Shapes: q [Tq, N, H], k and v [T, M, H], out [Tq, N, H], lse [N, Tq]: the logarithm of each query's sum of exponentials.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <vector>

#include "shim.h"
#include "vector_math.h"

// BLAS's matrix product (column-major). libtorch brings it; one that keeps it to itself leaves it null.
extern "C" void sgemm_(const char* transa, const char* transb, const int* m, const int* n, const int* k, const float* alpha,
                       const float* a, const int* lda, const float* b, const int* ldb, const float* beta, float* c,
                       const int* ldc) __attribute__((weak));

namespace {

// Row-major C[m, n] = alpha A[m, k] B[n, k]^T + beta C.
void multiply_transposed(int m, int n, int k, float alpha, const float* a, int lda, const float* b, int ldb, float beta, float* c,
                         int ldc) {
  if (m > 0 && n > 0) sgemm_("T", "N", &n, &m, &k, &alpha, b, &ldb, a, &lda, &beta, c, &ldc);
}

// Row-major C[m, n] = A[m, k] B[k, n] + beta C.
void multiply(int m, int n, int k, const float* a, int lda, const float* b, int ldb, float beta, float* c, int ldc) {
  const float one = 1;
  if (m > 0 && n > 0 && k > 0) sgemm_("N", "N", &n, &m, &k, &one, b, &ldb, a, &lda, &beta, c, &ldc);
}

// Row-major C[m, n] += A[k, m]^T B[k, n].
void add_transposed_product(int m, int n, int k, const float* a, int lda, const float* b, int ldb, float* c, int ldc) {
  const float one = 1;
  if (m > 0 && n > 0 && k > 0) sgemm_("N", "T", &n, &m, &k, &one, b, &ldb, a, &lda, &one, c, &ldc);
}

// Replaces scores by e^(score - largest) over [first, last) and by 0 elsewhere; returns the largest and the sum.
FOR_EACH_CPU void softmax_row(float* row, int count, int first, int last, float* largest_out, float* sum_out) {
  float largest = -std::numeric_limits<float>::infinity();
#pragma omp simd reduction(max : largest)
  for (int i = first; i < last; ++i) largest = row[i] > largest ? row[i] : largest;
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int i = first; i < last; ++i) {
    const float e = exponential(row[i] - largest);
    row[i] = e;
    sum += e;
  }
  std::fill(row, row + first, 0.0f);
  std::fill(row + last, row + count, 0.0f);
  *largest_out = largest;
  *sum_out = sum;
}

FOR_EACH_CPU void scale_row(float* row, int count, float factor) {
#pragma omp simd
  for (int i = 0; i < count; ++i) row[i] *= factor;
}

// weights: scores on entry, softmax weights on return; gradients: those of the weights on entry, those of q k^T on return.
FOR_EACH_CPU void softmax_row_backward(float* weights, float* gradients, int count, int first, int last, float lse, float dot,
                                       float scale) {
  std::fill(weights, weights + first, 0.0f);
  std::fill(weights + last, weights + count, 0.0f);
  std::fill(gradients, gradients + first, 0.0f);
  std::fill(gradients + last, gradients + count, 0.0f);
#pragma omp simd
  for (int i = first; i < last; ++i) {
    const float weight = exponential(weights[i] - lse);
    weights[i] = weight;
    gradients[i] = weight * (gradients[i] - dot) * scale;
  }
}

// Replaces scores by cap tanh(score / cap).
FOR_EACH_CPU void cap_row(float* row, int first, int last, float cap) {
  const float inverse = 1 / cap;
#pragma omp simd
  for (int i = first; i < last; ++i) row[i] = cap * hyperbolic_tangent(row[i] * inverse);
}

// The derivative of cap tanh(score / cap) at every score, from its value.
FOR_EACH_CPU void cap_slopes(const float* capped, float* slopes, int first, int last, float cap) {
  const float inverse = 1 / cap;
#pragma omp simd
  for (int i = first; i < last; ++i) slopes[i] = 1 - capped[i] * inverse * (capped[i] * inverse);
}

FOR_EACH_CPU void multiply_rows(float* row, const float* factors, int first, int last) {
#pragma omp simd
  for (int i = first; i < last; ++i) row[i] *= factors[i];
}

// A number of 32 bits that depends on all bits of the given one.
inline uint32_t mix(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

// The factor of every weight of a row under dropout: 0 with the given probability, else 1 / (1 - probability). A function of the seed,
// the head, the query and the key's position, so that the backward pass finds the same again.
FOR_EACH_CPU void dropout_factors(float* factors, int first, int last, uint64_t seed, uint32_t head, uint32_t query, uint32_t position,
                                  float probability) {
  const uint32_t row = mix(mix(mix(static_cast<uint32_t>(seed)) + head) ^ mix(static_cast<uint32_t>(seed >> 32) + query));
  const auto threshold = static_cast<uint32_t>(static_cast<double>(probability) * 4294967296.0);
  const float kept = 1 / (1 - probability);
#pragma omp simd
  for (int i = first; i < last; ++i) factors[i] = mix(row + (position + i) * 0x9e3779b9u) < threshold ? 0.0f : kept;
}

FOR_EACH_CPU float dot_product(const float* left, const float* right, int count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int i = 0; i < count; ++i) sum += left[i] * right[i];
  return sum;
}

// A tile of scores of up to 1 MiB: with its gradient it stays in a core's cache.
constexpr int64_t kTileElements = 1 << 18;
constexpr int kMinTileRows = 16;
constexpr int kMaxTileRows = 128;

struct Segment {
  int start;        // first row of its keys
  int length;       // count of its keys
  int parent;       // index of the segment that it continues, or -1
  int query_start;  // first row of its queries
  int query_count;  // its queries: those of its last positions
};

// What ts_attention is told beside tensors.
struct Rule {
  double scale;
  int64_t before, after;
  double cap, dropout;
  uint64_t seed;
};

struct Problem {
  std::vector<Segment> segments;
  std::vector<std::vector<int>> families;  // a segment without a parent, and those that continue it
  int heads, key_heads, head_size;
  int q_row, q_head, k_row, k_head, v_row, v_head;  // strides
  float scale;
  int64_t before, after;
  float cap;      // 0: scores as they are
  float dropout;  // probability that a weight is set to 0
  uint64_t seed;  // of dropout

  Problem(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& table, const Rule& rule)
      : heads(q.size(1)),
        key_heads(k.size(1)),
        head_size(q.size(2)),
        q_row(q.stride(0)),
        q_head(q.stride(1)),
        k_row(k.stride(0)),
        k_head(k.stride(1)),
        v_row(v.stride(0)),
        v_head(v.stride(1)),
        scale(static_cast<float>(rule.scale)),
        before(rule.before),
        after(rule.after),
        cap(static_cast<float>(rule.cap)),
        dropout(static_cast<float>(rule.dropout)),
        seed(rule.seed) {
    const int64_t* row = table.data_ptr<int64_t>();
    std::vector<int> family_of(table.size(0), -1);
    for (int64_t s = 0; s < table.size(0); ++s, row += 5) {
      const Segment segment{static_cast<int>(row[0]), static_cast<int>(row[1]), static_cast<int>(row[2]), static_cast<int>(row[3]),
                            static_cast<int>(row[4])};
      const bool is_inside = row[0] >= 0 && row[1] > 0 && row[0] + row[1] <= k.size(0) && row[3] >= 0 && row[4] >= 0 &&
                             row[4] <= row[1] && row[3] + row[4] <= q.size(0) && row[2] < s;
      if (!is_inside || (segment.parent >= 0 && segments[segment.parent].parent >= 0))
        throw std::invalid_argument("attention: segment " + std::to_string(s) + " does not fit the tensors");
      segments.push_back(segment);
      if (segment.parent < 0) {
        family_of[s] = static_cast<int>(families.size());
        families.emplace_back();
      } else {
        family_of[s] = family_of[segment.parent];
      }
      families[family_of[s]].push_back(static_cast<int>(s));
    }
  }

  int64_t task_count() const { return static_cast<int64_t>(families.size()) * key_heads; }
};

// Some queries of one segment and head, against the keys that any of them sees: of the parent and then of the segment itself.
struct Tile {
  int query;         // row of the first query
  int rows;          // count of queries
  int position;      // of the first query
  int parent_key;    // row of the first key of the parent
  int parent_count;  // count of keys of the parent
  int own_key;
  int own_count;
  int first_position;  // of the first key
  int count() const { return parent_count + own_count; }
};

template <typename Body>
void for_each_tile(const Problem& problem, const Segment& segment, Body body) {
  const int parent_length = segment.parent < 0 ? 0 : problem.segments[segment.parent].length;
  const int total = parent_length + segment.length;
  const int rows = static_cast<int>(std::clamp<int64_t>(kTileElements / total, kMinTileRows, kMaxTileRows));
  for (int first = 0; first < segment.query_count; first += rows) {
    Tile tile;
    tile.rows = std::min(rows, segment.query_count - first);
    tile.query = segment.query_start + first;
    tile.position = total - segment.query_count + first;
    tile.first_position = static_cast<int>(std::max<int64_t>(0, tile.position - problem.before));
    const int end = static_cast<int>(std::min<int64_t>(total, tile.position + tile.rows + problem.after));
    const int parent_end = std::min(end, parent_length);
    tile.parent_count = std::max(0, parent_end - tile.first_position);
    tile.parent_key = segment.parent < 0 ? 0 : problem.segments[segment.parent].start + std::min(tile.first_position, parent_length);
    const int own_first = std::max(tile.first_position, parent_length) - parent_length;
    tile.own_key = segment.start + own_first;
    tile.own_count = std::max(0, end - parent_length - own_first);
    body(tile);
  }
}

// The part of a row of a tile that its query sees.
std::pair<int, int> seen_by(const Problem& problem, const Tile& tile, int row) {
  const int64_t position = tile.position + row;
  const int64_t first = std::max<int64_t>(0, position - problem.before - tile.first_position);
  const int64_t last = std::min<int64_t>(tile.count(), position + problem.after + 1 - tile.first_position);
  return {static_cast<int>(first), static_cast<int>(last)};
}

void products_with_keys(const Tile& tile, int head_size, float scale, const float* rows, int row_stride, const float* keys,
                        int key_stride, float* result) {
  const int count = tile.count();
  multiply_transposed(tile.rows, tile.parent_count, head_size, scale, rows, row_stride, keys + int64_t{tile.parent_key} * key_stride,
                      key_stride, 0, result, count);
  multiply_transposed(tile.rows, tile.own_count, head_size, scale, rows, row_stride, keys + int64_t{tile.own_key} * key_stride,
                      key_stride, 0, result + tile.parent_count, count);
}

void sum_over_keys(const Tile& tile, int head_size, const float* weights, const float* values, int value_stride, float* result,
                   int result_stride) {
  const int count = tile.count();
  const bool has_parent = tile.parent_count > 0;
  multiply(tile.rows, head_size, tile.parent_count, weights, count, values + int64_t{tile.parent_key} * value_stride, value_stride, 0,
           result, result_stride);
  multiply(tile.rows, head_size, tile.own_count, weights + tile.parent_count, count, values + int64_t{tile.own_key} * value_stride,
           value_stride, has_parent ? 1 : 0, result, result_stride);
}

void add_to_keys(const Tile& tile, int head_size, const float* weights, const float* rows, int row_stride, float* result,
                 int result_stride) {
  const int count = tile.count();
  add_transposed_product(tile.parent_count, head_size, tile.rows, weights, count, rows, row_stride,
                         result + int64_t{tile.parent_key} * result_stride, result_stride);
  add_transposed_product(tile.own_count, head_size, tile.rows, weights + tile.parent_count, count, rows, row_stride,
                         result + int64_t{tile.own_key} * result_stride, result_stride);
}

float* room_for(std::vector<float>& buffer, const Tile& tile) {
  const size_t needed = static_cast<size_t>(tile.rows) * tile.count();
  if (buffer.size() < needed) buffer.resize(needed);
  return buffer.data();
}

const float* dropout_factors_of(const Problem& problem, const Tile& tile, int row, int head, int first, int last,
                                std::vector<float>& factors) {
  factors.resize(std::max<size_t>(factors.size(), tile.count()));
  dropout_factors(factors.data(), first, last, problem.seed, head, tile.query + row, tile.first_position, problem.dropout);
  return factors.data();
}

void forward(const Problem& problem, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, at::Tensor& out, at::Tensor& lse) {
  const int size = problem.head_size, group = problem.heads / problem.key_heads, out_row = problem.heads * size;
  const int64_t query_count = q.size(0);
  const float *q_data = q.data_ptr<float>(), *k_data = k.data_ptr<float>(), *v_data = v.data_ptr<float>();
  float *out_data = out.data_ptr<float>(), *lse_data = lse.data_ptr<float>();
  at::parallel_for(0, problem.task_count(), 1, [&](int64_t begin, int64_t end) {
    std::vector<float> buffer, factors;
    for (int64_t task = begin; task < end; ++task) {
      const int key_head = static_cast<int>(task % problem.key_heads);
      const float* keys = k_data + int64_t{key_head} * problem.k_head;
      const float* values = v_data + int64_t{key_head} * problem.v_head;
      for (const int s : problem.families[task / problem.key_heads])
        for_each_tile(problem, problem.segments[s], [&](const Tile& tile) {
          float* scores = room_for(buffer, tile);
          for (int head = key_head * group; head < (key_head + 1) * group; ++head) {
            const float* queries = q_data + int64_t{tile.query} * problem.q_row + int64_t{head} * problem.q_head;
            products_with_keys(tile, size, problem.scale, queries, problem.q_row, keys, problem.k_row, scores);
            float sums[kMaxTileRows];
            for (int row = 0; row < tile.rows; ++row) {
              const auto [first, last] = seen_by(problem, tile, row);
              float* of_row = scores + int64_t{row} * tile.count();
              if (problem.cap > 0) cap_row(of_row, first, last, problem.cap);
              float largest;
              softmax_row(of_row, tile.count(), first, last, &largest, &sums[row]);
              lse_data[head * query_count + tile.query + row] = largest + std::log(sums[row]);
              if (problem.dropout > 0)
                multiply_rows(of_row, dropout_factors_of(problem, tile, row, head, first, last, factors), first, last);
            }
            float* result = out_data + int64_t{tile.query} * out_row + int64_t{head} * size;
            sum_over_keys(tile, size, scores, values, problem.v_row, result, out_row);
            for (int row = 0; row < tile.rows; ++row) scale_row(result + int64_t{row} * out_row, size, 1 / sums[row]);
          }
        });
    }
  });
}

void backward(const Problem& problem, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& out,
              const at::Tensor& lse, const at::Tensor& gradient, at::Tensor& dq, at::Tensor& dk, at::Tensor& dv) {
  const int size = problem.head_size, group = problem.heads / problem.key_heads;
  const int query_row = problem.heads * size, key_row = problem.key_heads * size;
  const int64_t query_count = q.size(0);
  const float *q_data = q.data_ptr<float>(), *k_data = k.data_ptr<float>(), *v_data = v.data_ptr<float>();
  const float *out_data = out.data_ptr<float>(), *lse_data = lse.data_ptr<float>(), *gradient_data = gradient.data_ptr<float>();
  float *dq_data = dq.data_ptr<float>(), *dk_data = dk.data_ptr<float>(), *dv_data = dv.data_ptr<float>();
  at::parallel_for(0, problem.task_count(), 1, [&](int64_t begin, int64_t end) {
    std::vector<float> weight_buffer, gradient_buffer, factors, slopes;
    for (int64_t task = begin; task < end; ++task) {
      const int key_head = static_cast<int>(task % problem.key_heads);
      const float* keys = k_data + int64_t{key_head} * problem.k_head;
      const float* values = v_data + int64_t{key_head} * problem.v_head;
      float *key_gradients = dk_data + int64_t{key_head} * size, *value_gradients = dv_data + int64_t{key_head} * size;
      for (const int s : problem.families[task / problem.key_heads])
        for_each_tile(problem, problem.segments[s], [&](const Tile& tile) {
          float *weights = room_for(weight_buffer, tile), *gradients = room_for(gradient_buffer, tile);
          for (int head = key_head * group; head < (key_head + 1) * group; ++head) {
            const float* queries = q_data + int64_t{tile.query} * problem.q_row + int64_t{head} * problem.q_head;
            const int64_t place = int64_t{tile.query} * query_row + int64_t{head} * size;
            products_with_keys(tile, size, problem.scale, queries, problem.q_row, keys, problem.k_row, weights);
            products_with_keys(tile, size, 1, gradient_data + place, query_row, values, problem.v_row, gradients);
            for (int row = 0; row < tile.rows; ++row) {
              const auto [first, last] = seen_by(problem, tile, row);
              const int64_t at = place + int64_t{row} * query_row;
              float *row_weights = weights + int64_t{row} * tile.count(), *row_gradients = gradients + int64_t{row} * tile.count();
              if (problem.cap > 0) {
                slopes.resize(std::max<size_t>(slopes.size(), tile.count()));
                cap_row(row_weights, first, last, problem.cap);
                cap_slopes(row_weights, slopes.data(), first, last, problem.cap);
              }
              const float* kept =
                  problem.dropout > 0 ? dropout_factors_of(problem, tile, row, head, first, last, factors) : nullptr;
              if (kept != nullptr) multiply_rows(row_gradients, kept, first, last);
              softmax_row_backward(row_weights, row_gradients, tile.count(), first, last, lse_data[head * query_count + tile.query + row],
                                   dot_product(gradient_data + at, out_data + at, size), problem.scale);
              if (kept != nullptr) multiply_rows(row_weights, kept, first, last);
              if (problem.cap > 0) multiply_rows(row_gradients, slopes.data(), first, last);
            }
            add_to_keys(tile, size, weights, gradient_data + place, query_row, value_gradients, key_row);
            add_to_keys(tile, size, gradients, queries, problem.q_row, key_gradients, key_row);
            sum_over_keys(tile, size, gradients, keys, problem.k_row, dq_data + place, query_row);
          }
        });
    }
  });
}

struct PackedAttention : torch::autograd::Function<PackedAttention> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& q_given, const at::Tensor& k_given,
                            const at::Tensor& v_given, const at::Tensor& table, const Rule& rule) {
    const auto q = with_dense_heads(q_given), k = with_dense_heads(k_given), v = with_dense_heads(v_given);
    const Problem problem(q, k, v, table, rule);
    auto out = at::empty({q.size(0), q.size(1), q.size(2)}, q.options());
    auto lse = at::empty({q.size(1), q.size(0)}, q.options());
    ::forward(problem, q, k, v, out, lse);
    context->save_for_backward({q, k, v, table, out, lse});
    context->saved_data["scale"] = rule.scale;
    context->saved_data["before"] = rule.before;
    context->saved_data["after"] = rule.after;
    context->saved_data["cap"] = rule.cap;
    context->saved_data["dropout"] = rule.dropout;
    context->saved_data["seed"] = static_cast<int64_t>(rule.seed);
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &q = saved[0], &k = saved[1], &v = saved[2], &table = saved[3], &out = saved[4], &lse = saved[5];
    auto& data = context->saved_data;
    const Problem problem(q, k, v, table,
                          {data["scale"].toDouble(), data["before"].toInt(), data["after"].toInt(), data["cap"].toDouble(),
                           data["dropout"].toDouble(), static_cast<uint64_t>(data["seed"].toInt())});
    // Rows without queries get no gradient of theirs, and keys add up.
    auto dq = at::zeros({q.size(0), q.size(1), q.size(2)}, q.options());
    auto dk = at::zeros({k.size(0), k.size(1), k.size(2)}, k.options());
    auto dv = at::zeros({v.size(0), v.size(1), v.size(2)}, v.options());
    ::backward(problem, q, k, v, out, lse, gradients[0].contiguous(), dq, dk, dv);
    return {dq, dk, dv, at::Tensor(), at::Tensor()};
  }
};

void check(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& table) {
  if (sgemm_ == nullptr) throw std::runtime_error("attention: this libtorch does not export BLAS's sgemm_");
  for (const auto* tensor : {&q, &k, &v})
    if (tensor->dim() != 3 || tensor->scalar_type() != at::kFloat || !tensor->device().is_cpu())
      throw std::invalid_argument("attention: expected q, k and v of three dimensions, float32, on the CPU");
  if (k.sizes() != v.sizes() || k.size(1) < 1 || q.size(1) % k.size(1) != 0 || q.size(2) != k.size(2))
    throw std::invalid_argument("attention: expected q [Tq, N, H], k and v [T, M, H] where M divides N");
  if (table.dim() != 2 || table.size(1) != 5 || table.scalar_type() != at::kLong || !table.is_contiguous())
    throw std::invalid_argument("attention: expected a table of segments [S, 5], int64, contiguous");
}

}  // namespace

int32_t ts_attention_available(void) noexcept {
  return sgemm_ != nullptr;
}

int ts_attention(const ts_tensor* q, const ts_tensor* k, const ts_tensor* v, const ts_tensor* segments, double scale, int64_t before,
                 int64_t after, double cap, double dropout, ts_tensor** out) noexcept {
  return guarded([&] {
    check(tensor_of(q), tensor_of(k), tensor_of(v), tensor_of(segments));
    if (!(cap >= 0) || !(dropout >= 0 && dropout < 1))
      throw std::invalid_argument("attention: expected a cap of at least 0, and a dropout of at least 0 and below 1");
    const auto seed = dropout > 0 ? static_cast<uint64_t>(at::randint(INT64_MAX, {1}, at::kLong).item<int64_t>()) : 0;
    *out = new_tensor(PackedAttention::apply(tensor_of(q), tensor_of(k), tensor_of(v), tensor_of(segments),
                                             Rule{scale, before, after, cap, dropout, seed}));
  });
}
