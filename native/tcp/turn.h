// Turn: who of a connection has the word. A turn begins with the client's bytes and ends with the
// target's first byte; what passed since the last client byte is the target's response time. Pure:
// it is told which way bytes have moved, and says what that means.
//
// The client's bytes that come while the turn lasts belong to it: the last of them counts. Bytes
// of a target that nobody has asked (a greeting, a push, more of an answer) are no turn.
//
// Bytes that moved both ways in one turn of the worker's loop have crossed: whoever sent them could
// not have seen the others'. So neither is an answer to the other, and no time is taken. A stream
// that crosses again and again (busy both ways, pipelined) is not measurable until a row of clean
// turns has shown that it has changed. An opaque stream that is pipelined so slowly that nothing
// ever crosses looks like one that is not, and is taken for one.
#pragma once

#include <algorithm>
#include <cstdint>

namespace sluice::tcp {

// What one step of the pumps comes to.
enum class TurnStep : uint8_t {
  none,
  began,       // the client waits from here on
  went_on,     // more of the client's bytes
  crossed,     // still waiting: what the target said came too early to be the answer to all
  answered,    // the response time is from the last client byte to this turn of the loop
  unmeasured,  // ended, but what it took is not known
};

class Turn {
 public:
  // A crossing weighs as much as eight clean turns. One alone spoils only its own turn; two with
  // fewer clean turns in between make the stream unmeasurable until eight have followed. (TLS and
  // SSH may cross in their handshakes and are then as regular as others.)
  static constexpr uint8_t kCrossingDoubt = 8;
  static constexpr uint8_t kDoubtMax = 16;

  struct Moved {
    bool to_target;
    bool to_client;
    // Bytes have moved both ways in this turn of the loop, in this step or an earlier one.
    bool crossed;
  };

  // At least one of the directions has moved.
  [[nodiscard]] TurnStep step(const Moved& moved) {
    if (moved.crossed) {
      doubt_ = std::min<uint8_t>(doubt_ + kCrossingDoubt, kDoubtMax);
      clean_ = false;
    }
    if (!waiting_) return moved.to_target ? begin(moved) : TurnStep::none;
    if (moved.to_client) return moved.crossed ? TurnStep::crossed : end();
    return TurnStep::went_on;
  }

  // The turn ends without an answer, if there is one. True when there was.
  [[nodiscard]] bool abandon() {
    const bool was_waiting = waiting_;
    waiting_ = false;
    return was_waiting;
  }

  [[nodiscard]] bool waiting() const { return waiting_; }
  // Does the time of the last client byte matter?
  [[nodiscard]] bool measurable() const { return clean_ && doubt_ <= kCrossingDoubt; }

 private:
  [[nodiscard]] TurnStep begin(const Moved& moved) {
    waiting_ = true;
    clean_ = !moved.crossed;
    return TurnStep::began;
  }
  [[nodiscard]] TurnStep end() {
    const bool measured = measurable();
    waiting_ = false;
    // Only a clean turn speaks for the stream.
    if (clean_ && doubt_ > 0) doubt_--;
    return measured ? TurnStep::answered : TurnStep::unmeasured;
  }

  bool waiting_ = false;
  bool clean_ = true;  // the turn: nothing has crossed it
  uint8_t doubt_ = 0;  // the stream
};

}  // namespace sluice::tcp
