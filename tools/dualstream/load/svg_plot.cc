#include "svg_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include "text.h"

namespace dualstream::command {
namespace {

constexpr double kWidth = 760;
constexpr double kHeight = 300;
constexpr double kLeft = 64;
constexpr double kRight = 16;
constexpr double kTop = 34;
constexpr double kBottom = 46;

std::string formatted(double value, const char* format = "%.1f") {
  std::array<char, 64> text{};
  // NOLINTNEXTLINE(clang-diagnostic-format-nonliteral): each caller has a literal.
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

// A linear map of values to places in the picture.
struct Axis {
  double low = 0;
  double high = 1;
  double begin = 0;
  double end = 1;

  [[nodiscard]] double operator()(double value) const {
    return begin + (value - low) / (high - low) * (end - begin);
  }
};

void append_text(std::string& out, double x, double y, std::string_view anchor,
                 std::string_view text) {
  out += concat({"<text x=\"", formatted(x), "\" y=\"", formatted(y), "\" text-anchor=\"", anchor,
                 "\">", html_text(text), "</text>"});
}

void append_line(std::string& out, std::string_view style, double x1, double y1, double x2,
                 double y2) {
  out += concat({"<line class=\"", style, "\" x1=\"", formatted(x1), "\" y1=\"", formatted(y1),
                 "\" x2=\"", formatted(x2), "\" y2=\"", formatted(y2), "\"/>"});
}

// What of a series can be drawn, y as its logarithm if the axis is one.
std::vector<std::pair<double, double>> drawable(const PlotSeries& series, bool logarithmic) {
  std::vector<std::pair<double, double>> points;
  for (const auto& [x, y] : series.points) {
    if (logarithmic && y <= 0) continue;
    points.emplace_back(x, logarithmic ? std::log10(y) : y);
  }
  return points;
}

// A power of ten of milliseconds: "10 us".
std::string latency_text(long power) {
  static constexpr std::array<std::string_view, 4> kUnits{"ns", "us", "ms", "s"};
  const long tens = power + 6;  // Of nanoseconds.
  const long unit = std::clamp(tens / 3, 0L, 3L);
  return formatted(std::pow(10, tens - 3 * unit), "%g ")
      .append(kUnits[static_cast<std::size_t>(unit)]);
}

std::vector<PlotTick> y_ticks(const Axis& axis, bool logarithmic) {
  std::vector<PlotTick> ticks;
  if (!logarithmic) {
    for (const double step : round_steps(axis.high, 5)) {
      ticks.push_back({.at = step, .text = axis_text(step)});
    }
    return ticks;
  }
  for (auto power = std::lround(axis.low); power <= std::lround(axis.high); ++power) {
    ticks.push_back({.at = static_cast<double>(power), .text = latency_text(power)});
  }
  return ticks;
}

}  // namespace

std::vector<double> round_steps(double max, std::size_t count) {
  if (!(max > 0)) max = 1;
  const double rough = max / static_cast<double>(count);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = power * 10;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (rough <= power * factor) {
      step = power * factor;
      break;
    }
  }
  std::vector<double> steps;
  for (std::size_t at = 0; static_cast<double>(at) * step < max + step * 0.999; ++at) {
    steps.push_back(static_cast<double>(at) * step);
  }
  return steps;
}

std::string axis_text(double value) {
  static constexpr std::array<std::pair<double, std::string_view>, 2> kUnits{
      {{1e6, "M"}, {1e3, "k"}}};
  for (const auto& [size, unit] : kUnits) {
    if (value >= size) return formatted(value / size, "%g").append(unit);
  }
  return formatted(value, "%g");
}

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string svg_plot(const PlotOptions& options, const std::vector<PlotSeries>& series) {
  Axis x{.low = 0, .high = 0, .begin = kLeft, .end = kWidth - kRight};
  constexpr double kFar = std::numeric_limits<double>::infinity();
  Axis y{.low = kFar, .high = -kFar, .begin = kHeight - kBottom, .end = kTop};
  std::vector<std::vector<std::pair<double, double>>> lines;
  for (const PlotSeries& one : series) {
    lines.push_back(drawable(one, options.y_latency));
    for (const auto& [at, value] : lines.back()) {
      x.high = std::max(x.high, at);
      y.low = std::min(y.low, value);
      y.high = std::max(y.high, value);
    }
  }
  if (!(x.high > 0)) x.high = 1;
  if (!std::isfinite(y.low)) y.low = y.high = 0;
  if (options.y_latency) {
    y.low = std::floor(y.low);
    y.high = std::max(std::ceil(y.high), y.low + 1);
  } else {
    y.low = 0;
    y.high = round_steps(y.high, 5).back();
  }

  std::string out =
      concat({"<svg viewBox=\"0 0 ", formatted(kWidth, "%.0f"), " ", formatted(kHeight, "%.0f"),
              R"(" role="img" aria-label=")", html_text(options.title), "\">"});
  for (const PlotTick& tick : y_ticks(y, options.y_latency)) {
    append_line(out, "grid", kLeft, y(tick.at), kWidth - kRight, y(tick.at));
    append_text(out, kLeft - 8, y(tick.at) + 4, "end", tick.text);
  }
  for (const PlotTick& tick : options.x_ticks) {
    if (tick.at > x.high * 1.001) continue;
    append_line(out, "grid", x(tick.at), kTop, x(tick.at), kHeight - kBottom);
    append_text(out, x(tick.at), kHeight - kBottom + 16, "middle", tick.text);
  }
  append_text(out, kLeft, 14, "start", options.y_title);
  append_text(out, kWidth - kRight, kHeight - 8, "end", options.x_title);

  double legend = kWidth - kRight;
  for (std::size_t at = series.size(); at-- > 0;) {
    if (lines[at].empty()) continue;
    std::string points;
    for (const auto& [px, py] : lines[at]) {
      points += concat({points.empty() ? "" : " ", formatted(x(px)), ",", formatted(y(py))});
    }
    out += concat({"<polyline class=\"", series[at].style, "\" points=\"", points, "\"/>"});
    // From right to left, as wide as the words are at the page's size.
    legend -= static_cast<double>(series[at].name.size()) * 7.2 + 34;
    append_line(out, series[at].style, legend, 10, legend + 18, 10);
    append_text(out, legend + 23, 14, "start", series[at].name);
  }
  return out + "</svg>";
}

}  // namespace dualstream::command
