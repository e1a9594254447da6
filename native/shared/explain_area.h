// The explain area of a worker: where it writes its answer to an explain command. One
// ExplainAnswer, then one ExplainNote for each candidate of the pool, 640 KiB at the most. Pages
// are touched by the first answer that needs them: a worker that is never asked has none.
//
// The control plane has at most one question to a worker on its way, and reads the area only when
// `id` is that of its question; so nobody writes while it is read.
#pragma once

#include <cstdint>
#include <type_traits>

namespace sluice::shared {

// What would become of a client that came now.
#define SLUICE_EXPLAIN_OUTCOMES(X)                                                                \
  X(picked, 1)            /* it would go to `target_slot` */                                      \
  X(session, 2)           /* UDP: it has a session, on `target_slot` */                           \
  X(queued, 3)            /* TCP: it would wait for a place at a target */                        \
  X(parked, 4)            /* TCP: it would wait for a target */                                   \
  X(queue_full, 5)        /* as many wait for a place as may; refused */                          \
  X(park_full, 6)         /* as many wait for a target as may; refused */                         \
  X(no_target, 7)         /* nobody can be picked; refused */                                     \
  X(listener_full, 8)     /* max_connections of the listener: TCP waits, UDP is dropped */        \
  X(worker_full, 9)       /* no room for another connection or session on the worker; refused */  \
  X(accept_paused, 10)    /* TCP: the listener accepts nobody for now, for want of descriptors */ \
  X(unknown_listener, 11) /* the worker's table does not have it */

enum class ExplainOutcome : uint32_t {
#define X(name, value) name = value,
  SLUICE_EXPLAIN_OUTCOMES(X)
#undef X
};

// X(type, count, name), as in layout.h.
#define SLUICE_EXPLAIN_ANSWER_FIELDS(X)                                                       \
  X(uint32_t, 1, id)      /* of the command; written last */                                  \
  X(uint32_t, 1, outcome) /* ExplainOutcome */                                                \
  X(uint64_t, 1, generation)                                                                  \
  X(uint32_t, 1, pool_slot)                                                                   \
  X(uint32_t, 1, target_slot)     /* kNoSlot: it would get none now */                        \
  X(uint32_t, 1, sticky_step)     /* StickyStep */                                            \
  X(uint32_t, 1, sticky_slot)     /* of the entry's target; kNoSlot */                        \
  X(uint32_t, 1, first_tier)      /* with which the policy began */                           \
  X(uint32_t, 1, tier)            /* that had the picked one; kNoSlot */                      \
  X(uint32_t, 1, notes_count)     /* ExplainNotes that follow; 0: the policy was not asked */ \
  X(uint32_t, 1, waiting)         /* TCP: clients of the pool that wait, over all workers */  \
  X(uint32_t, 1, listener_active) /* over all workers */                                      \
  X(uint32_t, 1, sessions_unseen) /* 1: there are too many sessions to look for the client */ \
  X(uint32_t, 2, reserved)

// A candidate, as table::CandidateNote has it.
#define SLUICE_EXPLAIN_NOTE_FIELDS(X)                          \
  X(uint32_t, 1, slot)                                         \
  X(uint32_t, 1, tier)                                         \
  X(uint32_t, 1, weight)                                       \
  X(uint32_t, 1, max_connections)                              \
  X(uint32_t, 1, active)                                       \
  X(uint32_t, 1, load)                                         \
  X(uint32_t, 1, standing) /* table::Standing */               \
  X(uint32_t, 1, scored)   /* 0: the policy gave no `score` */ \
  X(double, 1, score)

#define SLUICE_DECLARE_EXPLAIN_FIELD(type, count, name) \
  std::conditional_t<(count) == 1, type, type[count]> name;

struct alignas(8) ExplainAnswer {
#define X SLUICE_DECLARE_EXPLAIN_FIELD
  SLUICE_EXPLAIN_ANSWER_FIELDS(X)
#undef X
};
static_assert(sizeof(ExplainAnswer) == 64);

struct alignas(8) ExplainNote {
#define X SLUICE_DECLARE_EXPLAIN_FIELD
  SLUICE_EXPLAIN_NOTE_FIELDS(X)
#undef X
};
static_assert(sizeof(ExplainNote) == 40);

}  // namespace sluice::shared
