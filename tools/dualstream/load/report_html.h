// report_html() is a run as one page: verdict, figures and plots, nothing to be loaded.
#pragma once

#include <string>

#include "load_report.h"
#include "report_files.h"

namespace dualstream::command {

[[nodiscard]] std::string report_html(const LoadReport& report, const Judgement& judgement);

}  // namespace dualstream::command
