// Memory for large tensors on the CPU: no more of it than such tensors have needed at once.
//
// libtorch takes it from posix_memalign. glibc cuts an aligned block out of a larger one, so the place that a tensor leaves is too small
// for the next tensor of the same size, and a step of training, which frees and makes such tensors all the time, needs about a sixth
// more memory than it has tensors. Blocks above glibc's limit go back to the system instead, and cost a page fault for every page when
// the next one is asked for. Here places are whole pages of one reserved range of addresses. What a tensor leaves keeps its pages and is
// given to the next one that fits; where none does, pages of free places go back to the system before new ones are touched. All of them go
// back when a module is disposed of or leaves the CPU, and after training (ts_release_free_memory).
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

#include "shim.h"

namespace {

// Smaller tensors are left to libtorch's own allocator.
constexpr size_t kSmallestPlace = size_t{1} << 20;

// Sizes of places are multiples of this: of a page, and of what libtorch aligns to.
constexpr size_t kGranularity = size_t{1} << 16;

struct Place {
  char* start;
  size_t size;
};

// Free places; neighbours are one.
class FreePlaces {
 public:
  bool is_empty() const { return by_start_.empty(); }

  void add(Place place) {
    const auto next = by_start_.lower_bound(place.start);
    if (next != by_start_.begin()) {
      const auto previous = std::prev(next);
      if (previous->first + previous->second == place.start) {
        place = {previous->first, previous->second + place.size};
        remove(previous);
      }
    }
    if (next != by_start_.end() && place.start + place.size == next->first) {
      place.size += next->second;
      remove(next);
    }
    insert(place);
  }

  // The smallest place that is large enough, or null. What it has beyond the size stays free.
  char* take(size_t size) {
    const auto found = by_size_.lower_bound({size, nullptr});
    if (found == by_size_.end()) return nullptr;
    const Place place{found->second, found->first};
    remove(by_start_.find(place.start));
    if (place.size > size) insert({place.start + size, place.size - size});
    return place.start;
  }

  // The end of the largest place, at most that much of it.
  Place take_of_largest(size_t size) {
    const Place largest{by_size_.rbegin()->second, by_size_.rbegin()->first};
    remove(by_start_.find(largest.start));
    if (largest.size <= size) return largest;
    insert({largest.start, largest.size - size});
    return {largest.start + largest.size - size, size};
  }

 private:
  using Places = std::map<char*, size_t>;

  void insert(Place place) {
    by_start_.emplace(place.start, place.size);
    by_size_.emplace(place.size, place.start);
  }

  void remove(Places::iterator place) {
    by_size_.erase({place->second, place->first});
    by_start_.erase(place);
  }

  Places by_start_;
  std::set<std::pair<size_t, char*>> by_size_;
};

class TensorMemory {
 public:
  // Reserves addresses: several times as many as the machine has memory, because free places without pages take some too. They cost nothing
  // until they are written to.
  explicit TensorMemory(size_t memory) : largest_(memory) {
    const size_t size = 4 * memory;
    void* start = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) return;
    start_ = untouched_ = static_cast<char*>(start);
    end_ = start_ + size;
  }

  // False where the system does not reserve as much: under a limit on addresses, or where it promises no more than it has.
  bool is_reserved() const { return start_ != nullptr; }

  bool contains(const void* data) const { return data >= start_ && data < end_; }

  // Null when no addresses are left, or when the machine has less memory: refusing that is libtorch's.
  void* take(size_t bytes) {
    if (bytes > largest_) return nullptr;
    const size_t size = (bytes + kGranularity - 1) / kGranularity * kGranularity;
    const std::lock_guard<std::mutex> lock(mutex_);
    char* start = with_pages_.take(size);
    if (start == nullptr) {
      give_back_pages(size);
      start = without_pages_.take(size);
    }
    if (start == nullptr && size <= static_cast<size_t>(end_ - untouched_)) start = std::exchange(untouched_, untouched_ + size);
    if (start != nullptr) taken_.emplace(start, size);
    return start;
  }

  // Does not fail but for want of a few bytes for the lists.
  void release(void* data) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto taken = taken_.find(static_cast<char*>(data));
    with_pages_.add({taken->first, taken->second});
    taken_.erase(taken);
  }

  void release_free_pages() {
    const std::lock_guard<std::mutex> lock(mutex_);
    give_back_pages(std::numeric_limits<size_t>::max());
  }

 private:
  // Of free places, up to that many bytes.
  void give_back_pages(size_t bytes) {
    while (bytes > 0 && !with_pages_.is_empty()) {
      const Place place = with_pages_.take_of_largest(bytes);
      madvise(place.start, place.size, MADV_DONTNEED);
      without_pages_.add(place);
      bytes -= place.size;
    }
  }

  const size_t largest_;
  char* start_ = nullptr;
  char* end_ = nullptr;
  char* untouched_ = nullptr;  // from here on no place was ever taken
  std::mutex mutex_;
  std::unordered_map<char*, size_t> taken_;
  FreePlaces with_pages_;
  FreePlaces without_pages_;
};

// Never released: tensors may outlive every other static object.
TensorMemory& tensor_memory() {
  static TensorMemory* const memory =
      new TensorMemory(static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE)));
  return *memory;
}

void release(void* data) noexcept {
  if (tensor_memory().contains(data))
    tensor_memory().release(data);
  else
    c10::GetDefaultCPUAllocator()->raw_deleter()(data);
}

// What overrides does not say so, because libtorch's versions differ: allocate() was const in older ones, copy_data() is of newer ones.
struct Allocator final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) const {
    void* place = bytes < kSmallestPlace ? nullptr : tensor_memory().take(bytes);
    if (place != nullptr) return c10::DataPtr(place, place, &::release, c10::Device(c10::DeviceType::CPU));
    auto data = c10::GetDefaultCPUAllocator()->allocate(bytes);
    // What is allocated here has one deleter, as raw_deleter() promises.
    static_cast<void>(data.compare_exchange_deleter(c10::GetDefaultCPUAllocator()->raw_deleter(), &::release));
    return data;
  }

  c10::DataPtr allocate(size_t bytes) { return std::as_const(*this).allocate(bytes); }

  void copy_data(void* target, const void* source, size_t bytes) const { std::memcpy(target, source, bytes); }

  c10::DeleterFnPtr raw_deleter() const { return &::release; }
};

// Tensors that libtorch made before keep their own deleter.
const bool is_installed = [] {
  if (tensor_memory().is_reserved()) c10::SetCPUAllocator(new Allocator, /*priority=*/1);
  return tensor_memory().is_reserved();
}();

}  // namespace

void ts_release_free_memory(void) noexcept {
  tensor_memory().release_free_pages();
}
