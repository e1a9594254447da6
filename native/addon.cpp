// The Node-API glue: layout() and start(), and of a started engine its memory, doorbell() and
// stop(). Everything else crosses in the shared region. No state outside the objects made here, so
// that the addon may be loaded by several threads of one process and run several engines.
#include <napi.h>

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "engine/engine.h"
#include "engine/layout_export.h"
#include "os/features.h"
#include "shared/engine_options.h"
#include "shared/layout.h"

namespace {

using sluice::engine::Engine;

// ---- Plain data to JavaScript -------------------------------------------------------------------

Napi::String text(Napi::Env env, std::string_view value) {
  return Napi::String::New(env, value.data(), value.size());
}

Napi::Number number(Napi::Env env, uint64_t value) {
  return Napi::Number::New(env, static_cast<double>(value));
}

template <typename Numbers>
Napi::Object numbers_object(Napi::Env env, const Numbers& numbers) {
  Napi::Object object = Napi::Object::New(env);
  for (const sluice::engine::NamedNumber& item : numbers) {
    object.Set(text(env, item.name), number(env, item.value));
  }
  return object;
}

Napi::Object record_object(Napi::Env env, const sluice::engine::RecordLayout& record) {
  Napi::Object fields = Napi::Object::New(env);
  for (const sluice::engine::FieldLayout& item : record.fields) {
    Napi::Object field = Napi::Object::New(env);
    field.Set("type", text(env, item.type));
    field.Set("offset", number(env, item.offset));
    field.Set("count", number(env, item.count));
    fields.Set(text(env, item.name), field);
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("bytes", number(env, record.bytes));
  object.Set("fields", fields);
  return object;
}

Napi::Object counter_row_object(Napi::Env env, const sluice::engine::CounterRowLayout& row) {
  Napi::Array counters = Napi::Array::New(env, row.counters.size());
  uint32_t index = 0;
  for (const sluice::engine::CounterLayout& item : row.counters) {
    Napi::Object counter = Napi::Object::New(env);
    counter.Set("name", text(env, item.name));
    counter.Set("unit", text(env, item.unit));
    counter.Set("help", text(env, item.help));
    counter.Set("offset", number(env, item.offset));
    counters.Set(index++, counter);
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("bytes", number(env, row.bytes));
  object.Set("counters", counters);
  return object;
}

Napi::Value layout(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const sluice::engine::Layout& all = sluice::engine::layout();
  Napi::Object enums = Napi::Object::New(env);
  for (const auto& item : all.enums) {
    enums.Set(text(env, item.name), numbers_object(env, item.values));
  }
  Napi::Object records = Napi::Object::New(env);
  for (const auto& item : all.records) records.Set(text(env, item.name), record_object(env, item));
  Napi::Object counters = Napi::Object::New(env);
  for (const auto& item : all.counters) {
    counters.Set(text(env, item.name), counter_row_object(env, item));
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("constants", numbers_object(env, all.constants));
  object.Set("enums", enums);
  object.Set("records", records);
  object.Set("counters", counters);
  return object;
}

// ---- One engine -----------------------------------------------------------------------------

// Owned by the JavaScript functions that were made for it and by the environment's clean-up hook.
// Destroyed on the thread of the environment, always after the engine has stopped.
class EngineHandle {
 public:
  static Napi::Value start(const Napi::CallbackInfo& info);

  ~EngineHandle() { stop_now(); }
  EngineHandle(const EngineHandle&) = delete;
  EngineHandle& operator=(const EngineHandle&) = delete;

 private:
  friend class StopTask;
  using Holder = std::shared_ptr<EngineHandle>;

  explicit EngineHandle(Napi::Env env) : env_(env) {}

  // Called from the engine's threads.
  static void wake(void* context) {
    auto* self = static_cast<EngineHandle*>(context);
    // Full or closing: a call is waiting already, or nobody will come for the events any more.
    static_cast<void>(self->doorbell_.NonBlockingCall());
  }

  // The environment ends (exit, worker thread terminated): the threads must be gone before the
  // addon is unloaded, and before the doorbell, which the environment takes away by itself.
  static void on_environment_end(void* holder) {
    const std::unique_ptr<Holder> self(static_cast<Holder*>(holder));
    (*self)->finished_ = true;
    (*self)->stop_now();
  }

  // Any thread.
  void stop_now() {
    if (engine_) engine_->stop();
  }

  // After the engine has stopped; on the environment's thread.
  void finish() {
    if (finished_) return;
    finished_ = true;
    doorbell_.Release();
    if (holder_ == nullptr) return;
    napi_remove_env_cleanup_hook(env_, &EngineHandle::on_environment_end, holder_);
    delete holder_;
  }

  static Napi::Object to_object(Napi::Env env, const std::shared_ptr<EngineHandle>& self);

  napi_env env_;
  Napi::ThreadSafeFunction doorbell_;
  std::unique_ptr<Engine> engine_;
  Holder* holder_ = nullptr;  // the clean-up hook's, while there is one
  bool finished_ = false;
};

// Stops an engine on libuv's thread pool: closing many thousand connections takes a while, and the
// event loop has others to serve. By the plain interface: Napi::AsyncWorker ends the process when
// the promise cannot be settled, as it is when the environment ends before the work does.
class StopTask {
 public:
  static Napi::Value queue(Napi::Env env, std::shared_ptr<EngineHandle> handle) {
    auto* task = new StopTask(std::move(handle));
    napi_value promise = nullptr;
    const bool queued =
        napi_create_promise(env, &task->deferred_, &promise) == napi_ok &&
        napi_create_async_work(env, nullptr, text(env, "sluice:stop"), &StopTask::execute,
                               &StopTask::complete, task, &task->work_) == napi_ok &&
        napi_queue_async_work(env, task->work_) == napi_ok;
    if (queued) return Napi::Value(env, promise);
    delete task;
    Napi::Error::New(env, "stop() could not be queued").ThrowAsJavaScriptException();
    return env.Undefined();
  }

 private:
  explicit StopTask(std::shared_ptr<EngineHandle> handle) : handle_(std::move(handle)) {}

  static void execute(napi_env, void* task) { static_cast<StopTask*>(task)->handle_->stop_now(); }

  static void complete(napi_env env, napi_status, void* data) {
    const std::unique_ptr<StopTask> task(static_cast<StopTask*>(data));
    task->handle_->finish();
    napi_value undefined = nullptr;
    napi_get_undefined(env, &undefined);
    // Fails when the environment ends: nobody is left to await it.
    static_cast<void>(napi_resolve_deferred(env, task->deferred_, undefined));
    napi_delete_async_work(env, task->work_);
  }

  std::shared_ptr<EngineHandle> handle_;
  napi_deferred deferred_ = nullptr;
  napi_async_work work_ = nullptr;
};

Napi::Value EngineHandle::start(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() < 2 || !info[0].IsObject() || !info[1].IsFunction()) {
    Napi::TypeError::New(env, "start(options, wake) expected").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const Napi::Object given = info[0].As<Napi::Object>();
  const Napi::Value workers = given.Get("workers");
  const Napi::Value connections_max = given.Get("connectionsMax");
  if (!workers.IsNumber() || !connections_max.IsNumber()) {
    Napi::TypeError::New(env, "workers and connectionsMax must be numbers")
        .ThrowAsJavaScriptException();
    return env.Undefined();
  }
  sluice::shared::EngineOptions options;
  options.workers = workers.As<Napi::Number>().Uint32Value();
  options.connections_max = connections_max.As<Napi::Number>().Uint32Value();
  if (const Napi::Value bytes = given.Get("bufferBytes"); bytes.IsNumber()) {
    options.scratch_bytes = bytes.As<Napi::Number>().Uint32Value();
  }
  options.splice = given.Get("splice").ToBoolean();
  options.udp_gso = given.Get("udpGso").ToBoolean();
  options.udp_gro = given.Get("udpGro").ToBoolean();

  std::shared_ptr<EngineHandle> self(new EngineHandle(env));
  // One call may wait while one runs: more would only find the rings empty.
  constexpr size_t kCallsMax = 2;
  self->doorbell_ = Napi::ThreadSafeFunction::New(env, info[1].As<Napi::Function>(),
                                                  "sluice:doorbell", kCallsMax, 1);
  self->doorbell_.Unref(env);
  sluice::engine::StartFailure failure;
  self->engine_ = Engine::start(options, &EngineHandle::wake, self.get(), failure);
  if (!self->engine_) {
    self->finish();
    std::string message = failure.step;
    if (failure.error != 0) message += std::string(": ") + std::strerror(failure.error);
    Napi::Error::New(env, message).ThrowAsJavaScriptException();
    return env.Undefined();
  }
  // Owned by the hook, which runs once or is removed by finish().
  self->holder_ = new Holder(self);
  napi_add_env_cleanup_hook(env, &EngineHandle::on_environment_end, self->holder_);
  return to_object(env, self);
}

Napi::Object EngineHandle::to_object(Napi::Env env, const std::shared_ptr<EngineHandle>& self) {
  const std::shared_ptr<sluice::shared::Region>& region = self->engine_->region();
  auto held_region = std::make_unique<std::shared_ptr<sluice::shared::Region>>(region);
  Napi::ArrayBuffer memory = Napi::ArrayBuffer::New(
      env, region->memory().data(), region->memory().size(),
      [](Napi::Env, void*, std::shared_ptr<sluice::shared::Region>* held) { delete held; },
      held_region.get());
  // On failure (a runtime without external buffers) an exception is pending and reaches the caller.
  if (!env.IsExceptionPending()) held_region.release();

  Napi::Array features = Napi::Array::New(env);
  uint32_t index = 0;
  for (const auto& item : sluice::os::probe_features()) {
    Napi::Object feature = Napi::Object::New(env);
    feature.Set("name", text(env, item.name));
    feature.Set("available", Napi::Boolean::New(env, item.available));
    feature.Set("detail", text(env, item.detail));
    features.Set(index++, feature);
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("memory", memory);
  object.Set("region",
             numbers_object(env, sluice::engine::region_layout(self->engine_->options().workers)));
  object.Set("features", features);
  object.Set("doorbell",
             Napi::Function::New(
                 env,
                 [self](const Napi::CallbackInfo& info) {
                   if (!info[0].IsNumber()) return;
                   self->engine_->ring_doorbell(info[0].As<Napi::Number>().Uint32Value());
                 },
                 "doorbell"));
  object.Set("stop", Napi::Function::New(
                         env,
                         [self](const Napi::CallbackInfo& info) -> Napi::Value {
                           return StopTask::queue(info.Env(), self);
                         },
                         "stop"));
  return object;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("layout", Napi::Function::New(env, layout, "layout"));
  exports.Set("start", Napi::Function::New(env, EngineHandle::start, "start"));
  return exports;
}

}  // namespace

NODE_API_MODULE(sluice, init)
