# What tools/tidy --self-test feeds the rules. Each case is
#   [rule, {path => text of the file...}, where the rule has to object: "path:line"...]
use strict;
use warnings;

my $file = 'engine/event/a.cc';

# Cases of a rule that looks at one line of code: lines that it objects to, lines that it accepts.
sub lines {
  my ($rule, $objects, $accepts, $path) = @_;
  $path //= $file;
  my $allow = "// tidy: allow($rule) a good reason";
  return ((map { [$rule, {$path => "int a;\n$_\n"}, "$path:2"] } @$objects),
          (map { [$rule, {$path => "int a;\n$_\n"}] } @$accepts),
          [$rule, {$path => "int a;\n$objects->[0]  $allow\n"}],
          [$rule, {$path => "int a;\n$allow\n$objects->[0]\n"}]);
}

my $options = 'engine/include/dualstream/options.h';
my $options_text = <<'END';
struct KafkaOptions {
  std::string brokers;
  std::chrono::milliseconds linger{0};
  std::vector<std::pair<std::string, std::string>> properties;
  NotifyAt at = NotifyAt::x;
};
struct Options {
  KafkaOptions kafka;
  std::function<void(int)> on_log;
  std::size_t n = 1;
};
END

my $names = 'engine/base/names.cc';
my $names_text = <<'END';
constexpr x{{
    {Counter::offered, "offered", "help"},
    {Counter::late,
     "late", "help"},
}};
END

# Spelt in pieces, so that this file is not what it warns of.
my ($home, $root, $work) = map { "/$_/" } qw(home/joe root work);

return [
  # Floors.
  ['floors', {'engine/base/a.h' => "#include \"event/event.h\"\n"}, 'engine/base/a.h:1'],
  ['floors', {'engine/kafka/a.h' => "// a\n#include \"redis/b.h\"\n"}, 'engine/kafka/a.h:2'],
  ['floors', {'engine/redis/a.h' => "#include \"kafka/b.h\"\n"}, 'engine/redis/a.h:1'],
  ['floors', {'engine/publisher/a.h' => "#include \"subscriber/b.h\"\n"}, 'engine/publisher/a.h:1'],
  ['floors', {'engine/subscriber/a.h' => "#include \"publisher/b.h\"\n"},
   'engine/subscriber/a.h:1'],
  ['floors', {'engine/event/a.h' => "#include \"event.h\"\n"}, 'engine/event/a.h:1'],
  ['floors', {'engine/util/a.cc' => '', 'engine/a.cc' => ''},
   'engine/a.cc:1', 'engine/util/a.cc:1'],
  ['floors', {$options => "#include \"base/time.h\"\n#include <stdint.h>\n#include <fmt/core.h>\n"},
   "$options:1", "$options:2", "$options:3"],
  ['floors', {$options => "#include <string_view>\n#include \"dualstream/b.h\"\n"}],
  ['floors', {'engine/base/a.cc' => "#include \"base/a.h\"\n#include \"dualstream/b.h\"\n"
                                  . "#include <poll.h>\n"}],
  ['floors', {'engine/kafka/a.cc' => "#include \"kafka/a.h\"\n#include \"event/b.h\"\n"
                                   . "#include <librdkafka/rdkafka.h>\n"}],
  ['floors', {'engine/publisher/a.cc' => "#include \"kafka/a.h\"\n#include \"redis/a.h\"\n"
                                       . "// #include \"subscriber/a.h\"\n"}],
  ['floors', {'tests/unit/a_test.cc' => "#include \"support/a.h\"\n"}],

  ['third_party', {'engine/kafka/a.cc' => "#include <librdkafka/rdkafka.h>\n",
                   'engine/kafka/b.cc' => "\n#include <librdkafka/rdkafka.h>\n"},
   'engine/kafka/b.cc:2'],
  ['third_party', {'engine/redis/a.cc' => "#include <hiredis/hiredis.h>\n",
                   'engine/redis/b.h' => "#include <hiredis/read.h>\n"},
   'engine/redis/b.h:1'],
  ['third_party', {'engine/event/a.cc' => "#include <simdjson.h>\n#include <simdjson/dom.h>\n",
                   'engine/event/q.cc' => "#include <concurrentqueue.h>\n// not simdjson.h\n",
                   'tests/unit/a_test.cc' => "#include <simdjson.h>\n"}],

  # Banned calls.
  lines('thread', ['std::thread t{f};', 'std::jthread t;', 'auto f = std::async(g);'],
        ['std::thread::hardware_concurrency();', 'std::this_thread::yield();', '// std::thread t']),
  ['thread', {'engine/base/worker.cc' => "std::thread t{f};\n",
              'tests/unit/a_test.cc' => "std::thread t{f};\n"}],
  lines('sleep', ['std::this_thread::sleep_for(2ms);', '::usleep(3);', 'sleep(1);'],
        ['bool sleep_long = x;', 'p.sleep(1);', 'log("sleep(1)");']),
  lines('sleep', ['std::this_thread::sleep_until(t);'], ['eventually(f);'], 'tests/flow/a_test.cc'),
  lines('rand', ['int r = rand() % 6;', 'std::srand(1);'], ['operand(1);', 'x.rand();']),
  lines('endl', ['out << std::endl;'], ["out << '\\n';"]),
  lines('stdout', ['std::printf("x");', 'printf("x");', 'std::cout << 1;', 'fputs("x", stdout);'],
        ['std::fprintf(stderr, "x");', 'std::snprintf(b, n, "printf(");']),
  ['stdout', {'tools/dualstream/a.cc' => "std::printf(\"x\");\n"}],
  lines('unsafe_string', ['strcpy(a, b);', 'std::sprintf(a, "x");'],
        ['snprintf(a, n, "x");', 'my_strcpy(a);']),
  lines('assert', ['assert(x);', 'if (x) assert (y);'],
        ['static_assert(x);', 'CHECK(x, "assert(x)");', '#include <cassert>']),
  lines('using_namespace', ['using namespace std;'], ['using std::string;', 'namespace a = b;']),
  lines('thread_local', ['thread_local int x;'], ['int thread_local_count;']),
  lines('const_cast', ['f(const_cast<char*>(p));'],
        ['f(const_cast<char*>(p));  // The client only reads it.',
         "// The client only reads it.\nf(const_cast<char*>(p));", 'f(static_cast<char*>(p));']),
  lines('naked_new', ['auto* x = new X;', 'delete x;', 'delete[] x;', 'return P{new X};',
                      'p = new (std::nothrow) X;'],
        ['new (block) X{y};', 'X(const X&) = delete;', 'void* operator new(size_t);',
         '#include <new>', 'int new_count;', '// a new one', 'log("new");',
         "x = 1'000; f('\\''); g(\"\\\"new\");", "R\"(new\n)\""]),
  lines('volatile', ['volatile int x;'], ['bool is_volatile;']),
  lines('catch_all', ['} catch (...) {', "} catch (...) {\n}\nthrow;"],
        ["} catch (...) {\n  undo();\n  throw;\n}", "} catch (...) {\n  // Counted.\n}",
         '} catch (...) {  // Counted.',
         '} catch (const std::exception&) {']),
  lines('regex', ['std::regex r{"x"};'], ['bool regex = x;']),
  lines('skipped_test', ['TEST(ATest, DISABLED_Works) {}', 'GTEST_SKIP();'],
        ['TEST(ATest, Works) {}'], 'tests/unit/a_test.cc'),
  ['todo', {$file => "// a\nint x;  // TODO: mend\n", 'docs/a.md' => "FIXME\n"},
   'docs/a.md:1', "$file:2"],
  ['todo', {'tools/a' => "mktemp /tmp/a.XXXXXX\n", $file => "int todo;\n"}],

  # Files nobody builds.
  ['unbuilt', {'engine/CMakeLists.txt' => "add_library(x\n  base/a.cc\n  # base/c.cc\n)\n",
               'engine/base/a.cc' => '', 'engine/base/b.cc' => '', 'engine/base/c.cc' => '',
               'engine/event/a.cc' => ''},
   'engine/base/b.cc:1', 'engine/base/c.cc:1', 'engine/event/a.cc:1'],
  ['unbuilt', {'tests/CMakeLists.txt' => "dualstream_unit_test(a)\n"
                                       . "dualstream_flow_test(c DIR faults)\n",
               'tests/flow/a_test.cc' => '', 'tests/unit/a_b_test.cc' => '',
               'tests/faults/c_test.cc' => '', 'tests/flow/c_test.cc' => ''},
   'tests/flow/a_test.cc:1', 'tests/flow/c_test.cc:1', 'tests/unit/a_b_test.cc:1'],
  ['unbuilt', {'tests/CMakeLists.txt' => "dualstream_unit_test(a)\nadd_library(s support/s.cc)\n"
                                       . "add_executable(a \${PROJECT_SOURCE_DIR}/docs/a.cc)\n"
                                       . "foreach(name b c)\n  dualstream_flow_test(\${name})\n",
               'tests/unit/a_test.cc' => '', 'tests/flow/b_test.cc' => '',
               'tests/support/s.cc' => '',
               'docs/a.cc' => '',
               'bench/CMakeLists.txt' => "dualstream_bench(publish)\n",
               'bench/publish_bench.cc' => ''}],

  # Docs.
  ['undocumented', {$options => $options_text,
                    'docs/options.md' => '`kafka.brokers` kafka.linger_max'},
   map { "$options:$_" } 3, 4, 5, 10],
  ['undocumented', {$options => $options_text}, map { "$options:$_" } 2, 3, 4, 5, 10],
  ['undocumented', {$options => $options_text,
                    'docs/options.md' => '`kafka.brokers` kafka.linger=5 kafka.properties kafka.at '
                                       . 'n'}],
  ['undocumented', {$names => $names_text, 'docs/metrics.md' => "`offered_x`\n"},
   "$names:2", "$names:4"],
  ['undocumented', {$names => $names_text, 'docs/metrics.md' => "| `offered` |\n| `late` |\n"}],
  ['link', {'docs/a.md' => "[x](b.md)\n[y](../engine/none.h#l)\n"}, 'docs/a.md:1', 'docs/a.md:2'],
  ['link', {'docs/a.md' => "[x](../README.md#top) [y](../engine/) ![z](a.md)\n"
                         . "[w](https://x.org/y.md) [v](#here) `[u](no.md)`\n"
                         . "```\n[x](no.md)\n```\n",
            'README.md' => '[t](tools/tidy)', 'engine/base/a.h' => ''}],

  # Shape of files and of the tree.
  ['purpose', {'engine/base/a.h' => "#pragma once\n",
               'engine/base/b.cc' => "#include \"base/a.h\"\n",
               'engine/base/c.cc' => '', 'tools/x' => "#!/bin/sh\nset -e\n"},
   'engine/base/a.h:1', 'engine/base/b.cc:1', 'engine/base/c.cc:1', 'tools/x:2'],
  ['purpose', {'engine/base/a.h' => "// A is.\n", 'engine/base/a.cc' => "#include \"base/a.h\"\n",
               'tests/unit/a_test.cc' => "#include \"base/a.h\"\n",
               'tools/x' => "#!/bin/sh\n# Does x.\n", 'docs/a.md' => ''}],
  ['pragma_once', {'engine/base/a.h' => "// A\n#ifndef A\n"}, 'engine/base/a.h:1'],
  ['pragma_once', {'engine/base/a.h' => "// A\n#pragma once\n", 'engine/base/a.cc' => ''}],
  ['length', {$file => "\n" x 501}, "$file:501"],
  ['length', {$file => "\n" x 500, 'docs/a.md' => "\n" x 900}],
  ['top_level', {'src/a.cc' => '', 'notes.txt' => ''}, 'notes.txt:1', 'src/a.cc:1'],
  ['top_level', {'CMakeLists.txt' => '', 'README.md' => '', '.ci/run' => '', 'docs/a.md' => ''}],
  ['generated', {'tools/x.o' => 'x', 'tests/core' => "\x7fELF\0", 'docs/a.md~' => '',
                 'bench/compile_commands.json' => '{}'},
   'bench/compile_commands.json:1', 'docs/a.md~:1', 'tests/core:1', 'tools/x.o:1'],
  ['generated', {'tools/x' => "#!/bin/sh\n", 'docs/a.svg' => '<svg/>', 'engine/base/log.cc' => ''}],
  ['machine_path', {'docs/a.md' => "see ${work}main and\n\"${root}x\"\n${home}x\n/tmp" . "/wt-a\n"},
   map { "docs/a.md:$_" } 1 .. 4],
  ['machine_path', {'docs/a.md' => "src${work}a \$HOME$root https://x.org/a${work}b\n"
                                 . "/tmp/x ~$work\n"}],

  # Allow comments themselves, shown with one rule: no reason, no such rule, nothing to allow.
  ['volatile', {$file => "volatile int x;  // tidy: allow(volatile)\n"}, "$file:1"],
  ['volatile', {$file => "volatile int x;  // tidy: allow(volatle) a reason\n"},
   "$file:1", "$file:1"],
  ['volatile', {$file => "int x;  // tidy: allow(volatile) a reason\n"}, "$file:1"],
  # One that clang-format has pushed away from what it allows, and one that it has not.
  ['volatile', {$file => "f(cast<volatile char*>(\n    x));  // tidy: allow(volatile) a reason\n"}],
  ['volatile', {$file => "volatile int x;\nint y;  // tidy: allow(volatile) a reason\n"},
   "$file:1", "$file:2"],
];
