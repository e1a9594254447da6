// Entry of the C++ unit tests. A test binary is a non-Node host: nobody ignores SIGPIPE for us,
// and nothing here does either, so that a write to a dead peer must be safe by itself.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
