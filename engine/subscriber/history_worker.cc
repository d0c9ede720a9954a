#include "subscriber/history_worker.h"

#include <utility>

namespace dualstream::subscriber {

HistoryWorker::HistoryWorker(std::unique_ptr<kafka::KafkaReader> reader, base::Parker& consumer)
    : reader_(std::move(reader)), consumer_(consumer) {}

void HistoryWorker::ask(const Question& question) {
  {
    const std::lock_guard lock{mutex_};
    questions_.push_back(question);
  }
  parker_.unpark();
}

std::optional<Answer> HistoryWorker::answer() {
  const std::lock_guard lock{mutex_};
  if (answers_.empty()) return std::nullopt;
  Answer first = std::move(answers_.front());
  answers_.pop_front();
  return first;
}

void HistoryWorker::stop() noexcept {
  stopping_.store(true, std::memory_order_release);
  parker_.unpark();
}

std::size_t HistoryWorker::do_work(base::TimePoint now) {
  Question question;
  {
    const std::lock_guard lock{mutex_};
    if (questions_.empty()) {
      if (!resting_ && now - worked_at_ >= kRestAfter) {
        reader_->rest();
        resting_ = true;
      }
      return 0;
    }
    question = questions_.front();
    questions_.pop_front();
  }
  Answer found = find(question);
  {
    const std::lock_guard lock{mutex_};
    answers_.push_back(std::move(found));
  }
  consumer_.unpark();
  worked_at_ = base::Clock::now();
  resting_ = false;
  return 1;
}

base::WakeUp HistoryWorker::wake_up() const {
  return {.at = resting_ ? base::kNever : worked_at_ + kRestAfter};
}

Answer HistoryWorker::find(const Question& question) {
  Answer answer;
  answer.question = question;
  switch (question.kind) {
    case Question::Kind::bounds: {
      std::int32_t count = 0;
      answer.status = reader_->partitions(kPatience, count);
      if (!answer.status.ok()) return answer;
      answer.bounds.resize(static_cast<std::size_t>(count));
      for (std::int32_t partition = 0; partition < count && answer.status.ok(); ++partition) {
        answer.status = reader_->bounds(partition, kPatience,
                                        answer.bounds[static_cast<std::size_t>(partition)]);
      }
      return answer;
    }
    case Question::Kind::offset_at:
      answer.status = reader_->offset_at(question.request.partition, question.timestamp_ms,
                                         kPatience, answer.offset);
      return answer;
    case Question::Kind::read:
      answer.status = reader_->read(question.request, kPatience, answer.read);
      return answer;
    case Question::Kind::rest:
      reader_->rest();
      return answer;
  }
  return answer;
}

}  // namespace dualstream::subscriber
