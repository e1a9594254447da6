// Slab<T>: one worker's objects of one kind. Capacity is fixed when it is made; memory is address
// space until an object is first used (mmap without reservation), so a large bound costs nothing
// while idle. take() and give() are O(1) and never call malloc.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include "os/check.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace sluice::os {

// Not safe across threads. The owner gives every object back before the slab goes: what is still
// out then is not destroyed, only unmapped.
template <typename T>
class Slab {
 public:
  // When the kernel refuses the address space, capacity() is 0 and every take() answers nullptr.
  explicit Slab(uint32_t capacity) {
    static_assert(alignof(T) <= 4096, "a mapping starts at a page");
    const size_t bytes = size_t{capacity} * sizeof(Cell);
    if (bytes == 0) return;
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return;
    cells_ = static_cast<Cell*>(memory);
    capacity_ = capacity;
  }
  ~Slab() {
    if (cells_ == nullptr) return;
    show(cells_, size_t{touched_} * sizeof(Cell));
    ::munmap(cells_, size_t{capacity_} * sizeof(Cell));
  }
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  // Constructs a T from the arguments in the most recently freed place; nullptr when full.
  template <typename... Arguments>
  [[nodiscard]] T* take(Arguments&&... arguments) {
    Cell* cell = freed_;
    if (cell != nullptr) {
      show(cell, sizeof(Cell));
      freed_ = cell->next_freed;
    } else if (touched_ < capacity_) {
      cell = cells_ + touched_++;
      show(cell, sizeof(Cell));
    } else {
      return nullptr;
    }
    in_use_++;
    return ::new (static_cast<void*>(cell)) T(std::forward<Arguments>(arguments)...);
  }

  // Destroys it; nullptr is not accepted.
  void give(T* object) {
    Cell* cell = reinterpret_cast<Cell*>(object);
    SLUICE_CHECK(owns(object) && in_use_ > 0);
    object->~T();
    cell->next_freed = freed_;
    freed_ = cell;
    in_use_--;
    hide(cell, sizeof(Cell));
  }

  [[nodiscard]] bool owns(const T* object) const {
    const auto address = reinterpret_cast<uintptr_t>(object);
    const auto first = reinterpret_cast<uintptr_t>(cells_);
    return address >= first && address < first + size_t{touched_} * sizeof(Cell) &&
           (address - first) % sizeof(Cell) == 0;
  }
  [[nodiscard]] uint32_t in_use() const { return in_use_; }
  [[nodiscard]] uint32_t capacity() const { return capacity_; }

 private:
  union Cell {
    Cell* next_freed;
    alignas(T) std::byte object[sizeof(T)];
  };

  // Under AddressSanitizer a place that was given back must not be touched, as after free().
  static void hide([[maybe_unused]] const void* memory, [[maybe_unused]] size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
    __asan_poison_memory_region(memory, bytes);
#endif
  }
  static void show([[maybe_unused]] const void* memory, [[maybe_unused]] size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(memory, bytes);
#endif
  }

  Cell* cells_ = nullptr;
  Cell* freed_ = nullptr;  // last in, first out: the warmest memory is used next
  uint32_t touched_ = 0;   // cells below this have been used once
  uint32_t in_use_ = 0;
  uint32_t capacity_ = 0;
};

}  // namespace sluice::os
