// svg_plot() draws lines over axes as an SVG that needs no script and no font of its own.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace dualstream::command {

struct PlotTick {
  double at = 0;
  std::string text;
};

struct PlotSeries {
  std::string name;
  std::string style;  // The CSS class of the line: its colour is the page's.
  // x, y; rising in x. A latency of 0, which a logarithmic axis has no place for, is left out.
  std::vector<std::pair<double, double>> points;
};

struct PlotOptions {
  std::string title;  // Also what a screen reader says.
  std::string x_title;
  std::string y_title;
  // y is milliseconds, on a logarithmic axis. Else it is a number, from 0 on.
  bool y_latency = false;
  // Besides those that fit the values of y.
  std::vector<PlotTick> x_ticks;
};

[[nodiscard]] std::string svg_plot(const PlotOptions& options,
                                   const std::vector<PlotSeries>& series);

// About `count` round numbers from 0 to `max` and over.
[[nodiscard]] std::vector<double> round_steps(double max, std::size_t count);

// A number for an axis: "0.05", "12", "30k".
[[nodiscard]] std::string axis_text(double value);

// As text of HTML and SVG.
[[nodiscard]] std::string html_text(std::string_view text);

}  // namespace dualstream::command
