#include "checkpoint.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <set>
#include <system_error>
#include <utility>

#include "text.h"

namespace dualstream::command {
namespace {

// So much of a line's end tells it from another one: the longest id is not longer.
constexpr std::size_t kLineEndBytesMax = 64;

Status unusable(std::string message) {
  return Status::error(StatusCode::invalid_options, std::move(message));
}

// A file that is open for reading.
class Opened {
 public:
  explicit Opened(const std::string& name)
      : fd_(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  ~Opened() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  const int fd_;
};

Status unreadable(const std::string& name, int error) {
  return unusable(concat({"cannot read ", name, ": ", std::generic_category().message(error)}));
}

Status needs_a_file(const std::string& name) {
  return unusable(concat({display_name(name),
                          " cannot be read again from its middle, as --checkpoint needs it; write "
                          "it to a file first, or leave --checkpoint away"}));
}

// Absolute and without links, so that one file has one name.
Status full_path(const std::string& name, std::string& path) {
  char* const found = ::realpath(name.c_str(), nullptr);
  if (found == nullptr) return unreadable(name, errno);
  path = printable(found);
  std::free(found);
  return {};
}

// Whether the file is still the one that the marks speak of.
Status check_input(const std::string& name, int fd, const Fingerprint& start, const InputMark& mark,
                   const std::string& state_file) {
  struct stat about {};
  if (::fstat(fd, &about) != 0) return unreadable(name, errno);
  if (!S_ISREG(about.st_mode)) return needs_a_file(name);
  const auto size = static_cast<std::uint64_t>(about.st_size);
  const std::string advice = concat({"; if it is a new file, name another --checkpoint than ",
                                     state_file, ", or move the file to another name"});
  if (size < mark.next.offset) {
    return unusable(concat({name, " has shrunk to ", std::to_string(size), " bytes, and ",
                            std::to_string(mark.next.offset), " of it were done with", advice}));
  }
  if (!fits(start, fd) || !fits(mark.before, fd)) {
    return unusable(
        concat({name, " is not the file that it was: line ", std::to_string(mark.next.line - 1),
                " or the beginning has changed", advice}));
  }
  return {};
}

}  // namespace

Checkpoint::Checkpoint(const CheckpointOptions& options, std::unique_ptr<StateFile> file)
    : options_(options), file_(std::move(file)) {}

Checkpoint::~Checkpoint() {
  {
    const std::lock_guard lock{mutex_};
    end_ = true;
  }
  due_.notify_all();
  saver_.join();
}

Status Checkpoint::open(const CheckpointOptions& options, const std::vector<std::string>& inputs,
                        std::unique_ptr<Checkpoint>& checkpoint) {
  for (const std::string& input : inputs) {
    if (input == "-") return needs_a_file(input);
  }
  std::unique_ptr<StateFile> file;
  if (Status status = StateFile::open(options.file, file); !status.ok()) return status;
  // tidy: allow(naked_new) the constructor is private
  std::unique_ptr<Checkpoint> opened{new Checkpoint{options, std::move(file)}};
  if (Status status = opened->read(inputs); !status.ok()) return status;
  checkpoint = std::move(opened);
  return {};
}

Status Checkpoint::read(const std::vector<std::string>& inputs) {
  std::optional<std::string> text;
  if (Status status = file_->read(text); !status.ok()) return status;
  CheckpointState state{.topic = options_.topic, .inputs = {}};
  if (text) {
    if (const std::optional<std::string> wrong = parse_checkpoint(*text, state); wrong) {
      return unusable(concat({options_.file, " is no checkpoint that can be used: ", *wrong,
                              "; name another file, or remove it to publish everything from the "
                              "start"}));
    }
  }
  if (state.topic != options_.topic) {
    return unusable(concat({options_.file, " is the checkpoint of the topic ", state.topic,
                            ", and this run has ", options_.topic, "; name another file"}));
  }
  Known known;
  for (CheckpointEntry& entry : state.inputs) known.emplace(entry.path, std::move(entry));
  std::set<std::string> given;
  for (const std::string& name : inputs) {
    std::string path;
    if (Status status = full_path(name, path); !status.ok()) return status;
    if (!given.insert(path).second) return unusable(name + " is given twice; give it once");
    if (Status status = add_input(name, path, known); !status.ok()) return status;
  }
  for (auto& [path, entry] : known) {
    if (!given.contains(path)) others_.push_back(std::move(entry));
  }
  // Now, rather than after the first events, it shows whether it can be written.
  CheckpointState first{.topic = options_.topic, .inputs = others_};
  for (const Input& input : inputs_) {
    first.inputs.push_back({.path = input.path, .mark = input.start, .start = input.fingerprint});
  }
  return file_->write(checkpoint_text(first));
}

Status Checkpoint::add_input(const std::string& name, const std::string& path, const Known& known) {
  Input input{.path = path};
  Fingerprint start;
  if (const auto found = known.find(path); found != known.end()) {
    input.start = found->second.mark;
    start = found->second.start;
  }
  const Opened opened{name};
  if (opened.fd() < 0) return unreadable(name, errno);
  if (Status status = check_input(name, opened.fd(), start, input.start, options_.file);
      !status.ok()) {
    return status;
  }
  int error = 0;
  input.fingerprint = fingerprint_of_start(opened.fd(), error);
  if (error != 0) return unreadable(name, error);
  input.low_water = LowWater{input.start};
  input.saved_line = input.start.next.line;
  inputs_.push_back(std::move(input));
  return {};
}

const InputMark& Checkpoint::start(std::size_t input) const {
  const std::lock_guard lock{mutex_};
  return inputs_[input].start;
}

Status Checkpoint::enter(std::size_t input, int fd, InputMark& start) {
  const std::lock_guard lock{mutex_};
  const Input& entered = inputs_[input];
  start = entered.start;
  return check_input(entered.path, fd, entered.fingerprint, start, options_.file);
}

bool Checkpoint::begin(std::size_t input, std::string_view raw, bool ended, std::uint64_t end,
                       std::chrono::milliseconds timeout) {
  const std::string_view last = raw.substr(raw.size() - std::min(raw.size(), kLineEndBytesMax));
  const Fingerprint print{
      .begin = end - (ended ? 1 : 0) - last.size(), .size = last.size(), .hash = hash_of(last)};
  std::unique_lock lock{mutex_};
  const auto has_room = [this] { return behind_saved_ < options_.window_lines; };
  if (!has_room() && !room_.wait_for(lock, timeout, has_room)) return false;
  behind_saved_ += 1;
  inputs_[input].low_water.begin(end, print);
  return true;
}

void Checkpoint::settle(std::span<const LinePlace> places) {
  bool due = false;
  {
    const std::lock_guard lock{mutex_};
    const bool was_due = save_is_due();
    for (const LinePlace place : places) {
      LowWater& low_water = inputs_[place.input].low_water;
      const std::size_t held = low_water.held();
      low_water.settle(place.line);
      passed_ += held - low_water.held();
    }
    due = save_is_due() && !was_due;
  }
  if (due) due_.notify_all();
}

Status Checkpoint::start_saving(std::function<bool()> make_safe,
                                std::function<void(const std::string&)> on_failure) {
  make_safe_ = std::move(make_safe);
  on_failure_ = std::move(on_failure);
  return saver_.start("ds-checkpoint", [this] { run(); });
}

bool Checkpoint::finish() {
  {
    const std::lock_guard lock{mutex_};
    end_ = true;
  }
  due_.notify_all();
  saver_.join();
  return make_safe_ && save();
}

std::uint64_t Checkpoint::behind() const {
  const std::lock_guard lock{mutex_};
  return behind_saved_;
}

bool Checkpoint::save_is_due() const {
  return passed_ >= std::max<std::uint64_t>(options_.window_lines / 2, 1);
}

void Checkpoint::run() {
  while (true) {
    {
      std::unique_lock lock{mutex_};
      due_.wait_for(lock, options_.interval, [this] { return end_ || save_is_due(); });
      if (end_) return;
      if (passed_ == 0) continue;
    }
    if (!save()) return;
  }
}

bool Checkpoint::save() {
  CheckpointState state{.topic = options_.topic, .inputs = others_};
  {
    const std::lock_guard lock{mutex_};
    if (failed_) return false;
    passed_ = 0;
    for (const Input& input : inputs_) {
      state.inputs.push_back(
          {.path = input.path, .mark = input.low_water.mark(), .start = input.fingerprint});
    }
  }
  // After the marks were taken: what settled lines left in other files was written before that.
  Status status;
  const bool safe = make_safe_();
  if (safe) status = file_->write(checkpoint_text(state));
  const std::lock_guard lock{mutex_};
  if (!safe || !status.ok()) {
    failed_ = true;
    if (!status.ok()) on_failure_(status.message);
    return false;
  }
  for (std::size_t at = 0; at < inputs_.size(); ++at) {
    const std::uint64_t line = state.inputs[others_.size() + at].mark.next.line;
    behind_saved_ -= line - inputs_[at].saved_line;
    inputs_[at].saved_line = line;
  }
  room_.notify_all();
  return true;
}

}  // namespace dualstream::command
