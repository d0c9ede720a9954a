#include "intake.h"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "byte_source.h"
#include "line_place.h"
#include "text.h"
#include "thread.h"

namespace dualstream::command {
namespace {

// How long a line waits for room before a request to stop is looked for.
constexpr std::chrono::milliseconds kRoomWait{100};

// Cheaper than fetch_add, and enough where one thread writes.
void add(std::atomic<std::uint64_t>& counter, std::uint64_t n) {
  counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

}  // namespace

// Reader is one thread's part of the intake.
class Intake::Reader {
 public:
  Reader(Intake& intake, Counters& counters, std::unique_ptr<LineTaker> taker)
      : intake_(intake), counters_(counters), taker_(std::move(taker)) {}

  void run() {
    const std::size_t count = intake_.inputs_.size();
    while (!intake_.stop_.requested()) {
      const std::size_t input = intake_.next_input_.fetch_add(1);
      if (input >= count) return;
      try {
        read_input(input);
      } catch (const std::exception& error) {
        // Memory has run out, which only this input may have caused: a buffer holds its longest
        // line.
        fail(input,
             concat({"cannot read ", display_name(intake_.inputs_[input]), ": ", error.what()}));
      }
    }
  }

 private:
  void read_input(std::size_t input) {
    std::unique_ptr<FileSource> source;
    const Status opened = FileSource::open(intake_.inputs_[input], intake_.stop_.fd(), source);
    if (!opened.ok()) {
      fail(input, opened.message);
      return;
    }
    LinePosition start;
    if (const Status status = go_on(input, *source, start); !status.ok()) {
      fail(input, status.message);
      return;
    }
    intake_.progress_[input].next_line = start.line;
    LineReader reader{*source, intake_.options_.reader, start};
    const bool regular = source->is_regular();
    const NextResult result = read_lines(input, regular, reader);
    finish(input, result, reader);
    if (!regular && result == NextResult::stopped) count_left(reader);
  }

  // Moves to where the checkpoint says that the input goes on.
  Status go_on(std::size_t input, FileSource& source, LinePosition& start) {
    if (intake_.options_.checkpoint == nullptr) return {};
    InputMark mark;
    if (Status status = intake_.options_.checkpoint->enter(input, source.fd(), mark);
        !status.ok()) {
      return status;
    }
    start = mark.next;
    return source.seek(intake_.inputs_[input], start.offset);
  }

  // Returns why it ended: `stopped` also when a line could not be published any more.
  NextResult read_lines(std::size_t input, bool regular, LineReader& reader) {
    std::optional<OutputFile::Hold> keeper;
    NextResult result = NextResult::stopped;
    while (!must_stop(regular)) {
      Line line;
      const std::uint64_t bytes_before = reader.bytes();
      result = reader.next(line);
      add(counters_.bytes, reader.bytes() - bytes_before);
      if (result != NextResult::line) break;
      const LinePlace place{.input = input, .line = line.number};
      if (!begin(line, place, reader.offset(), regular) || !handle(line, place, regular, keeper)) {
        if (!regular) count_left(line);
        break;
      }
      if (!line.last) continue;
      add(counters_.lines, 1);
      intake_.progress_[input].next_line = line.number + 1;
    }
    // A line over the limit that was broken off: what follows in the file is another one's.
    if (keeper) keeper->write("\n");
    return result == NextResult::line ? NextResult::stopped : result;
  }

  // What a pipe gave is gone from it, so after a signal those lines are still published, as long as
  // the deadline allows. A file's lines stay where they are.
  [[nodiscard]] bool must_stop(bool regular) const {
    switch (intake_.stop_.reason()) {
      case StopReason::none:
        return false;
      case StopReason::signal:
        return regular || intake_.stop_.time_left().count() == 0;
      default:
        return true;
    }
  }

  // Tells the checkpoint of the line, which may have to wait until others are done with. False if
  // reading has to stop first.
  bool begin(const Line& line, LinePlace place, std::uint64_t end, bool regular) {
    Checkpoint* const checkpoint = intake_.options_.checkpoint;
    if (checkpoint == nullptr || !line.last) return true;
    while (!checkpoint->begin(place.input, line.raw, line.ended, end, kRoomWait)) {
      if (must_stop(regular)) return false;
    }
    return true;
  }

  // A line that has no event is done with. But if it is bad and lacks its end, that may be still to
  // come: the next run reads it again.
  void settle(const Line& line, LinePlace place) const {
    if (intake_.options_.checkpoint == nullptr || !line.last) return;
    if (line.kind != LineKind::blank && !line.ended) return;
    intake_.options_.checkpoint->settle({&place, 1});
  }

  // Whether the line is done with.
  bool handle(const Line& line, LinePlace place, bool regular,
              std::optional<OutputFile::Hold>& keeper) {
    switch (line.kind) {
      case LineKind::blank:
        add(counters_.blank, 1);
        settle(line, place);
        return true;
      case LineKind::too_long:
        intake_.bad_lines_.add_piece(place, too_long_reason(), line, keeper);
        settle(line, place);
        return true;
      case LineKind::whole:
        break;
    }
    return publish(line, place, regular);
  }

  bool publish(const Line& line, LinePlace place, bool regular) {
    while (true) {
      switch (taker_->take(line.text, tag_of(place), kRoomWait)) {
        case PublishResult::accepted:
          return true;
        case PublishResult::too_large:
        case PublishResult::invalid:
          intake_.bad_lines_.add(place, taker_->refusal_reason(), line.raw);
          settle(line, place);
          return true;
        case PublishResult::stopping:
          return false;
        case PublishResult::full:
          if (must_stop(regular)) return false;
          break;
      }
    }
  }

  [[nodiscard]] std::string too_long_reason() const {
    return concat({"longer than ", std::to_string(intake_.options_.reader.line_bytes_max),
                   " bytes (--line-bytes-max)"});
  }

  // A line that was read from a pipe and will not be published.
  void count_left(const Line& line) {
    if (line.kind != LineKind::whole) return;
    add(counters_.left, 1);
    add(counters_.lines, 1);
  }

  // The lines that the reader holds. It reads no further: its source was told to stop.
  void count_left(LineReader& reader) {
    for (Line line; reader.next(line) == NextResult::line;) count_left(line);
  }

  void finish(std::size_t input, NextResult result, const LineReader& reader) {
    InputProgress& progress = intake_.progress_[input];
    switch (result) {
      case NextResult::end:
        progress.state = InputState::finished;
        return;
      case NextResult::failed:
        fail(input, concat({"cannot read ", display_name(intake_.inputs_[input]), " from line ",
                            std::to_string(progress.next_line),
                            " on: ", std::generic_category().message(reader.error())}));
        return;
      case NextResult::line:
      case NextResult::stopped:
        progress.state = InputState::stopped;
        return;
    }
  }

  void fail(std::size_t input, std::string error) {
    intake_.progress_[input].state = InputState::failed;
    intake_.progress_[input].error = std::move(error);
  }

  Intake& intake_;
  Counters& counters_;
  const std::unique_ptr<LineTaker> taker_;
};

Intake::Intake(const std::vector<std::string>& inputs, const IntakeOptions& options,
               BadLines& bad_lines, StopRequest& stop)
    : inputs_(inputs),
      options_(options),
      bad_lines_(bad_lines),
      stop_(stop),
      progress_(inputs.size()),
      counters_(std::min(options.threads, inputs.size())) {}

Status Intake::run(const MakeTaker& make_taker) {
  std::vector<std::unique_ptr<Reader>> readers;
  for (Counters& counters : counters_) {
    readers.push_back(std::make_unique<Reader>(*this, counters, make_taker()));
  }
  std::vector<Thread> threads(readers.size());
  for (std::size_t at = 0; at < readers.size(); ++at) {
    Reader* reader = readers[at].get();
    Status status = threads[at].start("ds-intake", [reader] { reader->run(); });
    if (status.ok()) continue;
    if (at == 0) return status;
    break;  // Those that run read every input, only fewer at a time.
  }
  for (Thread& thread : threads) thread.join();
  return {};
}

IntakeCounts Intake::counts() const {
  IntakeCounts sum;
  for (const Counters& counters : counters_) {
    sum.lines += counters.lines.load(std::memory_order_relaxed);
    sum.blank += counters.blank.load(std::memory_order_relaxed);
    sum.bytes += counters.bytes.load(std::memory_order_relaxed);
    sum.left += counters.left.load(std::memory_order_relaxed);
  }
  return sum;
}

}  // namespace dualstream::command
