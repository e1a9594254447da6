// Slab<T>: one worker's objects of one kind. Capacity is fixed when it is made; memory is address
// space until an object is first used (mmap without reservation), so a large bound costs nothing
// while idle. take() and give() are O(1) and never call malloc.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::os {

template <typename T>
class Slab {
 public:
  explicit Slab(uint32_t capacity);
  ~Slab();
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  // Constructs a T from the arguments in the most recently freed place; nullptr when full.
  template <typename... Arguments>
  [[nodiscard]] T* take(Arguments&&... arguments);
  void give(T* object);  // destroys it
  [[nodiscard]] uint32_t in_use() const;
  [[nodiscard]] uint32_t capacity() const;
};

}  // namespace sluice::os
