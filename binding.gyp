# How users build: node-gyp, release flags only. Developers of the C++ use native/CMakeLists.txt;
# both read native/sources.txt. See docs/decisions/0001-one-source-list-two-builds.md.
{
  'variables': {
    # 1: also build the C++ unit tests (needs the doctest header; set by scripts/native-tests.mjs).
    'sluice_native_tests%': 0,
  },
  'target_defaults': {
    # Node's own common.gypi names a C++ standard of its time: ours is C++20 on every Node.
    'cflags_cc!': ['-std=gnu++17', '-std=gnu++20'],
    'cflags_cc': ['-std=c++20', '-fno-rtti', '-fno-exceptions', '-fvisibility=hidden'],
    'cflags': ['-Wall', '-Wextra'],
  },
  'targets': [
    {
      'target_name': 'dataplane',
      'type': 'static_library',
      # Position independent because it ends up in a shared object.
      'cflags': ['-fPIC'],
      'include_dirs': ['native'],
      'sources': ["<!@(cd native && printf 'native/%s\\n' $(cat sources.txt))"],
    },
    {
      'target_name': 'sluice',
      'type': 'loadable_module',
      'dependencies': ['dataplane'],
      'include_dirs': ['native', "<!(node -p \"require('node-addon-api').include_dir\")"],
      'defines': ['NAPI_VERSION=8', 'NAPI_DISABLE_CPP_EXCEPTIONS', 'NODE_ADDON_API_DISABLE_DEPRECATED'],
      'sources': ['native/addon.cpp'],
      # The C++ runtime is linked in and hidden, so that one binary runs wherever glibc does.
      'ldflags': [
        '-static-libstdc++', '-static-libgcc', '-Wl,-z,now',
        '-Wl,--version-script=<(module_root_dir)/native/addon.exports',
      ],
    },
  ],
  'conditions': [
    ['sluice_native_tests==1', {
      'targets': [
        {
          'target_name': 'native_tests',
          'type': 'executable',
          'dependencies': ['dataplane'],
          'include_dirs': ['native', 'test/native'],
          # doctest reports a failed REQUIRE by an exception.
          'cflags_cc!': ['-fno-exceptions', '-O3'],
          'cflags!': ['-O3'],
          'cflags': ['-O1'],
          'sources': ["<!@(find test/native -name '*.cpp' ! -name '*_fuzz.cpp' | LC_ALL=C sort)"],
        },
      ],
    }],
  ],
}
