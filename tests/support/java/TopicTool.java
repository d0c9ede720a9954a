// TopicTool looks at a topic with Apache's own Java client: what it reads back proves that nothing
// is lost, because it shares no code with the client that wrote it.
//
//   read   BOOTSTRAP TOPIC                               the whole topic, in the framing below
//   count  BOOTSTRAP TOPIC                               records per partition, as text
//   create BOOTSTRAP TOPIC PARTITIONS REPLICAS [K=V...]  returns when every partition has a leader
//   warm   BOOTSTRAP                                     walks through all of it once, so that the
//                                                        JVM can archive the classes it needs
//
// `read` writes every record from the beginning up to the end offsets at its start, partitions
// interleaved, each in offset order, then one trailer. All numbers are big-endian:
//
//   record  | int32 partition | int64 offset | int32 n, n bytes key | int32 n, n bytes value |
//           | int32 partition that Java's default partitioner chooses for this key, -1 without a key |
//   trailer | int32 -1 | int64 records written | int32 -1 | int32 -1 | int32 partitions of the topic |
//
// A key or value that is null has n = -1 and no bytes. Exit code 0 only after the trailer.
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public final class TopicTool {
  private static final Duration CALL_TIMEOUT = Duration.ofSeconds(15);
  private static final Duration SILENCE_MAX = Duration.ofSeconds(30);
  private static final byte[] NO_BYTES = new byte[0];

  public static void main(String[] args) {
    try {
      if (args.length == 3 && args[0].equals("read")) {
        read(args[1], args[2], new FileOutputStream(FileDescriptor.out));
      } else if (args.length == 3 && args[0].equals("count")) {
        count(args[1], args[2]);
      } else if (args.length >= 5 && args[0].equals("create")) {
        create(args[1], args[2], Integer.parseInt(args[3]), Short.parseShort(args[4]),
            properties(args, 5));
      } else if (args.length == 2 && args[0].equals("warm")) {
        warm(args[1]);
      } else {
        throw new IllegalArgumentException(
            "usage: read|count BOOTSTRAP TOPIC, create BOOTSTRAP TOPIC PARTITIONS REPLICAS [K=V...],"
                + " warm BOOTSTRAP");
      }
    } catch (Exception e) {
      Throwable cause = e instanceof ExecutionException ? e.getCause() : e;
      System.err.println("TopicTool: " + cause.getClass().getSimpleName() + ": " + cause.getMessage());
      System.exit(1);
    }
  }

  private static void read(String bootstrap, String topic, OutputStream out) throws IOException {
    try (KafkaConsumer<byte[], byte[]> consumer = consumer(bootstrap)) {
      List<TopicPartition> partitions = partitions(consumer, topic);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);

      DataOutputStream frames = new DataOutputStream(new BufferedOutputStream(out, 1 << 20));
      long written = 0;
      long heard = System.nanoTime();
      // A partition is done when the position has passed its end; records added since are left out.
      while (true) {
        List<TopicPartition> done = new ArrayList<>();
        for (TopicPartition partition : consumer.assignment()) {
          if (consumer.position(partition) >= ends.get(partition)) {
            done.add(partition);
          }
        }
        consumer.pause(done);
        if (consumer.paused().size() == partitions.size()) {
          break;
        }
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
          heard = System.nanoTime();
          if (record.offset() < ends.get(new TopicPartition(topic, record.partition()))) {
            write(frames, record, partitions.size());
            ++written;
          }
        }
        if (System.nanoTime() - heard > SILENCE_MAX.toNanos()) {
          throw new IOException("no records for " + SILENCE_MAX.toSeconds() + " s after " + written
              + " of topic " + topic + "; is a partition without a leader?");
        }
      }
      frames.writeInt(-1);
      frames.writeLong(written);
      frames.writeInt(-1);
      frames.writeInt(-1);
      frames.writeInt(partitions.size());
      frames.flush();
    }
  }

  private static void write(DataOutputStream frames, ConsumerRecord<byte[], byte[]> record,
      int partitionCount) throws IOException {
    frames.writeInt(record.partition());
    frames.writeLong(record.offset());
    writeBytes(frames, record.key());
    writeBytes(frames, record.value());
    frames.writeInt(record.key() == null
            ? -1
            : BuiltInPartitioner.partitionForKey(record.key(), partitionCount));
  }

  private static void writeBytes(DataOutputStream frames, byte[] bytes) throws IOException {
    frames.writeInt(bytes == null ? -1 : bytes.length);
    frames.write(bytes == null ? NO_BYTES : bytes);
  }

  private static void count(String bootstrap, String topic) {
    try (KafkaConsumer<byte[], byte[]> consumer = consumer(bootstrap)) {
      List<TopicPartition> partitions = partitions(consumer, topic);
      Map<TopicPartition, Long> begins = consumer.beginningOffsets(partitions);
      Map<Integer, Long> counts = new TreeMap<>();
      long total = 0;
      for (Map.Entry<TopicPartition, Long> end : consumer.endOffsets(partitions).entrySet()) {
        long records = end.getValue() - begins.get(end.getKey());
        counts.put(end.getKey().partition(), records);
        total += records;
      }
      counts.forEach((partition, records) -> System.out.println("partition " + partition + " " + records));
      System.out.println("total " + total);
    }
  }

  private static void create(String bootstrap, String topic, int partitions, short replicas,
      Map<String, String> properties) throws Exception {
    try (Admin admin = Admin.create(client(bootstrap))) {
      admin.createTopics(List.of(new NewTopic(topic, partitions, replicas).configs(properties)))
          .all()
          .get(CALL_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      long deadline = System.nanoTime() + CALL_TIMEOUT.toNanos();
      while (!ready(admin, topic)) {
        if (System.nanoTime() > deadline) {
          throw new IOException("topic " + topic + " was created, but not every partition has a leader");
        }
        Thread.sleep(20);
      }
    }
  }

  private static boolean ready(Admin admin, String topic) throws Exception {
    try {
      TopicDescription description = admin.describeTopics(List.of(topic))
          .allTopicNames()
          .get(CALL_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
          .get(topic);
      return description.partitions().stream().allMatch(
          partition -> partition.leader() != null && !partition.leader().isEmpty());
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnknownTopicOrPartitionException) {
        return false;
      }
      throw e;
    }
  }

  private static void warm(String bootstrap) throws Exception {
    String topic = "warm-" + System.nanoTime();
    create(bootstrap, topic, 2, (short) 1, Map.of());
    Map<String, Object> properties = client(bootstrap);
    properties.put("enable.idempotence", "true");
    properties.put("acks", "all");
    try (KafkaProducer<byte[], byte[]> producer =
            new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
      byte[] bytes = "warm".getBytes(StandardCharsets.UTF_8);
      producer.send(new ProducerRecord<>(topic, bytes, bytes)).get();
    }
    read(bootstrap, topic, new ByteArrayOutputStream());
    count(bootstrap, topic);
  }

  private static List<TopicPartition> partitions(KafkaConsumer<byte[], byte[]> consumer, String topic) {
    List<TopicPartition> partitions = new ArrayList<>();
    consumer.partitionsFor(topic).forEach(
        info -> partitions.add(new TopicPartition(topic, info.partition())));
    if (partitions.isEmpty()) {
      throw new UnknownTopicOrPartitionException("there is no topic " + topic);
    }
    return partitions;
  }

  private static KafkaConsumer<byte[], byte[]> consumer(String bootstrap) {
    Map<String, Object> properties = client(bootstrap);
    properties.put("allow.auto.create.topics", "false");
    properties.put("enable.auto.commit", "false");
    properties.put("isolation.level", "read_uncommitted");
    properties.put("max.poll.records", "50000");
    properties.put("max.partition.fetch.bytes", Integer.toString(16 << 20));
    properties.put("fetch.max.bytes", Integer.toString(32 << 20));
    properties.put("fetch.max.wait.ms", "100");
    return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private static Map<String, Object> client(String bootstrap) {
    Map<String, Object> properties = new HashMap<>();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("default.api.timeout.ms", Long.toString(CALL_TIMEOUT.toMillis()));
    properties.put("request.timeout.ms", "5000");
    // JMX and telemetry are start-up time that nobody reads.
    properties.put("metric.reporters", "");
    properties.put("enable.metrics.push", "false");
    return properties;
  }

  private static Map<String, String> properties(String[] args, int from) {
    Map<String, String> properties = new HashMap<>();
    for (int i = from; i < args.length; ++i) {
      String[] pair = args[i].split("=", 2);
      if (pair.length != 2) {
        throw new IllegalArgumentException("'" + args[i] + "' is not K=V");
      }
      properties.put(pair[0], pair[1]);
    }
    return properties;
  }
}
