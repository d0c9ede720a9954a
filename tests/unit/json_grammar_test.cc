// What is JSON (RFC 8259) and what is not, case by case: y_ has to be taken, n_ refused. A line is
// an object; what is tried stands in it as a value, or as the whole line.
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "event/event_parser.h"

namespace dualstream::event {
namespace {

using namespace std::string_view_literals;

struct Case {
  std::string_view name;
  std::string_view text;
};

// As `{"a":TEXT}`.
const std::vector<Case> kValues = {
    {"y_null", "null"},
    {"y_true", "true"},
    {"y_false", "false"},
    {"y_zero", "0"},
    {"y_minus_zero", "-0"},
    {"y_integer", "1234567890"},
    {"y_int64_min", "-9223372036854775808"},
    {"y_uint64_max", "18446744073709551615"},
    {"y_fraction", "0.5"},
    {"y_fraction_long", "0.123456789012345678901234567890"},
    {"y_exponent", "1e5"},
    {"y_exponent_capital", "1E5"},
    {"y_exponent_signs", "[1e+5,1e-5]"},
    {"y_exponent_leading_zero", "1e005"},
    {"y_underflow", "1e-400"},
    {"y_double_max", "1.7976931348623157e308"},
    {"y_string_empty", R"("")"},
    {"y_string_escapes", R"("\" \\ \/ \b \f \n \r \t")"},
    {"y_string_unicode_escape", R"("\u0041\u00e9\u20AC")"},
    {"y_string_nul_escape", R"("\u0000")"},
    {"y_string_surrogate_pair", R"("\ud83d\ude00")"},
    {"y_string_utf8_2", "\"\xc3\xa9\""},
    {"y_string_utf8_3", "\"\xe2\x82\xac\""},
    {"y_string_utf8_4", "\"\xf0\x9f\x98\x80\""},
    {"y_string_utf8_last", "\"\xf4\x8f\xbf\xbf\""},
    {"y_string_noncharacter", "\"\xef\xbf\xbf\""},
    {"y_string_line_separators", "\"\xe2\x80\xa8\xe2\x80\xa9\""},
    {"y_string_bom_inside", "\"\xef\xbb\xbf\""},
    {"y_string_invisible", "\"\xe2\x80\x8b\xe2\x80\x8f\""},
    {"y_string_delete", "\"\x7f\""},
    {"y_array_empty", "[]"},
    {"y_array_nested", "[[[[]]],[]]"},
    {"y_array_spaces", " [ 1 ,\t2 ,\r 3 ] "},
    {"y_object_empty", "{}"},
    {"y_object_empty_key", R"({"":0})"},
    {"y_object_duplicate_keys", R"({"a":1,"a":2})"},

    {"n_nothing", ""},
    {"n_word", "nil"},
    {"n_true_cut", "tru"},
    {"n_true_capital", "True"},
    {"n_nan", "NaN"},
    {"n_infinity", "Infinity"},
    {"n_minus_infinity", "-Infinity"},
    {"n_undefined", "undefined"},
    {"n_number_leading_zero", "01"},
    {"n_number_minus_leading_zero", "-01"},
    {"n_number_plus", "+1"},
    {"n_number_minus_alone", "-"},
    {"n_number_two_minus", "--1"},
    {"n_number_point_first", ".5"},
    {"n_number_point_last", "5."},
    {"n_number_two_points", "1.2.3"},
    {"n_number_point_exponent", "1.e5"},
    {"n_number_exponent_empty", "1e"},
    {"n_number_exponent_sign_only", "1e+"},
    {"n_number_exponent_fraction", "1e1.5"},
    {"n_number_hex", "0x1F"},
    {"n_number_underscore", "1_000"},
    {"n_number_space_inside", "1 000"},
    {"n_number_letter_behind", "12a"},
    {"n_number_full_width", "\xef\xbc\x91"},
    {"n_number_too_large", "1e400"},
    {"n_string_single_quotes", "'a'"},
    {"n_string_unclosed", R"("a)"},
    {"n_string_closed_by_escape", R"("a\")"},
    {"n_string_escape_unknown", R"("\a")"},
    {"n_string_escape_x", R"("\x41")"},
    {"n_string_escape_octal", R"("\012")"},
    {"n_string_escape_quote_single", R"("\'")"},
    {"n_string_escape_control", "\"\\\t\""},
    {"n_string_unicode_short", R"("\u004")"},
    {"n_string_unicode_no_hex", R"("\u00zz")"},
    {"n_string_unicode_capital", R"("\U0041")"},
    {"n_string_lone_high_surrogate", R"("\ud83d")"},
    {"n_string_lone_low_surrogate", R"("\ude00")"},
    {"n_string_high_surrogate_then_text", R"("\ud83dx")"},
    {"n_string_two_high_surrogates", R"("\ud83d\ud83d")"},
    {"n_string_surrogates_swapped", R"("\ude00\ud83d")"},
    {"n_string_newline", "\"a\nb\""},
    {"n_string_tab", "\"a\tb\""},
    {"n_string_nul", "\"a\0b\""sv},
    {"n_string_control", "\"\x1f\""},
    {"n_utf8_lone_continuation", "\"\x80\""},
    {"n_utf8_cut_2", "\"\xc3\""},
    {"n_utf8_cut_3", "\"\xe2\x82\""},
    {"n_utf8_cut_4", "\"\xf0\x9f\x98\""},
    {"n_utf8_overlong_2", "\"\xc0\xaf\""},
    {"n_utf8_overlong_3", "\"\xe0\x80\xaf\""},
    {"n_utf8_overlong_4", "\"\xf0\x80\x80\xaf\""},
    {"n_utf8_overlong_nul", "\"\xc0\x80\""},
    {"n_utf8_surrogate", "\"\xed\xa0\x80\""},
    {"n_utf8_beyond_last", "\"\xf4\x90\x80\x80\""},
    {"n_utf8_five_bytes", "\"\xf8\x88\x80\x80\x80\""},
    {"n_utf8_ff", "\"\xff\""},
    {"n_utf8_latin1", "\"caf\xe9\""},
    {"n_utf8_outside_strings", "\xc3\xa9"},
    {"n_array_unclosed", "[1"},
    {"n_array_trailing_comma", "[1,]"},
    {"n_array_leading_comma", "[,1]"},
    {"n_array_two_commas", "[1,,2]"},
    {"n_array_no_comma", "[1 2]"},
    {"n_array_colon", "[1:2]"},
    {"n_array_closed_as_object", "[1}"},
    {"n_object_unclosed", R"({"b":1)"},
    {"n_object_trailing_comma", R"({"b":1,})"},
    {"n_object_two_commas", R"({"b":1,,"c":2})"},
    {"n_object_no_value", R"({"b":})"},
    {"n_object_no_colon", R"({"b" 1})"},
    {"n_object_two_colons", R"({"b"::1})"},
    {"n_object_key_alone", R"({"b"})"},
    {"n_object_key_bare", "{b:1}"},
    {"n_object_key_number", "{1:1}"},
    {"n_object_key_null", "{null:1}"},
    {"n_object_key_single_quotes", "{'b':1}"},
    {"n_object_closed_as_array", R"({"b":1])"},
    {"n_comment_line", "1 // one"},
    {"n_comment_block", "1 /* one */"},
    {"n_comment_hash", "1 # one"},
    {"n_space_form_feed", "\f1"},
    {"n_space_vertical_tab", "\v1"},
    {"n_space_no_break",
     "\xc2\xa0"
     "1"},
    {"n_space_bom",
     "\xef\xbb\xbf"
     "1"},
    {"n_space_word_joiner",
     "\xe2\x81\xa0"
     "1"},
    {"n_nul", "\0"sv},
    {"n_nul_behind", "1\0"sv},
};

// As the line itself.
const std::vector<Case> kLines = {
    {"y_object", "{}"},
    {"y_spaces_around", " \t {} \t "},
    {"y_newline", "{}\n"},
    {"y_carriage_return_newline", "{}\r\n"},

    {"n_empty", ""},
    {"n_blank", "  "},
    {"n_bom", "\xef\xbb\xbf{}"},
    {"n_bom_utf16_little", "\xff\xfe{\0}\0"sv},
    {"n_bom_utf16_big", "\xfe\xff\0{\0}"sv},
    {"n_utf16", "{\0}\0"sv},
    {"n_nul_before", "\0{}"sv},
    {"n_nul_behind", "{}\0"sv},
    {"n_two_objects", "{}{}"},
    {"n_two_objects_with_space", "{} {}"},
    {"n_garbage_behind", "{}x"},
    {"n_comma_behind", "{},"},
    {"n_bracket_behind", "{}}"},
    {"n_bracket_before", "}{"},
    {"n_quote_behind", "{}\""},
    {"n_comment_behind", "{}//"},
    {"n_parenthesis", "({})"},
    {"n_array", "[{}]"},
    {"n_scalar", "1"},
    {"n_text", "\"{}\""},
    {"n_open", "{"},
    {"n_close", "}"},
    {"n_angle", "<{}>"},
};

class JsonGrammarTest : public ::testing::Test {
 protected:
  void try_it(std::string_view name, std::string_view line) {
    // The parser's memory is exact: a read beyond the line's end is seen by ASan.
    const std::vector<char> copy{line.begin(), line.end()};
    const auto result = parser_.parse({copy.data(), copy.size()}, event_, reason_);
    const bool taken = result == EventParser::Result::ok;
    EXPECT_EQ(taken, name.starts_with("y_")) << name << ": " << (taken ? "taken" : reason_);
  }

  EventParser parser_{JsonOptions{.id = "1", .type = "T", .source_type = "s", .source_id = "i"}};
  EventView event_;
  std::string reason_;
};

TEST_F(JsonGrammarTest, TakesJsonAndNothingElseAsAValue) {
  for (const Case& each : kValues) {
    try_it(each.name, R"({"a":)" + std::string{each.text} + "}");
    try_it(each.name, R"({"x":[{},")" + std::string(200, 'x') + R"("],"a":)" +
                          std::string{each.text} + R"(,"b":"behind"})");
  }
}

TEST_F(JsonGrammarTest, TakesOneObjectAndNothingElseAsALine) {
  for (const Case& each : kLines) try_it(each.name, each.text);
}

TEST_F(JsonGrammarTest, TakesTheDepthItIsGivenAndNoMore) {
  const std::size_t depth = JsonOptions{}.depth_max;
  const auto nested = [](std::size_t levels) {
    return R"({"a":)" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "}";
  };
  try_it("y_depth", nested(depth - 1));
  try_it("n_depth", nested(depth + 2));
  try_it("n_depth_huge", nested(100'000));
  try_it("n_depth_huge_open", std::string(100'000, '['));
  try_it("n_depth_huge_objects", std::string(100'000, '{'));
}

TEST_F(JsonGrammarTest, TakesTheFirstOfTwoEqualKeys) {
  EventParser parser{{.id = "/id", .type = "T", .source_type = "s", .source_id = "i"}};
  ASSERT_EQ(parser.parse(R"({"id":"first","id":"second"})", event_, reason_),
            EventParser::Result::ok);
  EXPECT_EQ(event_.id, "first");
}

}  // namespace
}  // namespace dualstream::event
