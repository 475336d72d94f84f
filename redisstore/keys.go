package redisstore

import (
	"encoding/hex"
	"hash/fnv"
)

// partitions is how many hash slots of a Cluster the streams use. It is part of
// the layout and never changes.
const partitions = 256

// keys are those of one stream. They have the tag of the stream's partition, so
// that one script may alter them on a Cluster, and the partition's index with
// them. Names stand last, so that no brace in one can be taken for a tag.
type keys struct {
	partition                                  int
	head, records, producers, names, deadlines string
	channel                                    string
}

func (s *Store) keys(name string) keys {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	k := s.indexes(int(h.Sum32() % partitions))
	tag := s.tag(k.partition)
	k.head, k.records, k.producers, k.channel = tag+"h:"+name, tag+"r:"+name, tag+"p:"+name, tag+"c:"+name
	return k
}

// indexes returns the keys of a partition.
func (s *Store) indexes(partition int) keys {
	tag := s.tag(partition)
	return keys{partition: partition, names: tag + "names", deadlines: tag + "deadlines"}
}

func (s *Store) tag(partition int) string {
	return s.opts.Prefix + ":{" + hex.EncodeToString([]byte{byte(partition)}) + "}:"
}

// all returns the keys in the order in which the scripts know them.
func (k *keys) all() []string {
	return []string{k.head, k.records, k.producers, k.names, k.deadlines}
}
