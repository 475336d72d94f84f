package storetest

import (
	"bytes"
	"encoding/binary"

	"github.com/freshet-stream/freshet"
)

func sizes() []clause {
	return []clause{
		{name: "Sizes/ARecordOf16MiB(7)", check: largeRecord},
		{name: "Sizes/AMillionTinyOnes(7)", check: tinyRecords},
	}
}

func largeRecord(e *env) {
	e.create("s", freshet.Spec{})
	large := make([]byte, 16<<20)
	for i := range len(large) / 8 {
		binary.LittleEndian.PutUint64(large[i*8:], uint64(i)*0x9e3779b97f4a7c15)
	}
	e.append("s", freshet.Append{Records: text("before")})
	e.append("s", freshet.Append{Records: []freshet.Record{{Data: large}, {Data: []byte("after")}}})
	page := e.page("s", freshet.Offset{}, freshet.Limit{Bytes: 100})
	if len(page.Records) != 1 {
		e.Fatalf("a page of 100 bytes has %d records", len(page.Records))
	}
	page = e.page("s", page.Records[0].Offset, freshet.Limit{Bytes: 100})
	if len(page.Records) != 1 || !bytes.Equal(page.Records[0].Data, large) {
		e.Fatalf("the large record did not come back, alone and as it was")
	}
	e.equal("data after it", e.data("s", page.Records[0].Offset, freshet.Limit{}), []string{"after"})
}

func tinyRecords(e *env) {
	const each = 10_000
	total := max(1_000_000/each/e.subject.Scale, 1) * each
	e.create("s", freshet.Spec{})
	records := make([]freshet.Record, each)
	for n := 0; n < total; n += each {
		for i := range records {
			records[i].Data = binary.BigEndian.AppendUint32(nil, uint32(n+i))
		}
		e.append("s", freshet.Append{Records: records})
	}
	n, from := 0, freshet.Offset{}
	for {
		page := e.page("s", from, freshet.Limit{Bytes: 64 << 10})
		if len(page.Records) == 0 {
			break
		}
		for _, r := range page.Records {
			n++
			if r.Offset.Seq != uint64(n) || binary.BigEndian.Uint32(r.Data) != uint32(n-1) {
				e.Fatalf("record %d has the offset %v and the data %x", n, r.Offset, r.Data)
			}
		}
		from = page.Records[len(page.Records)-1].Offset
	}
	e.equal("records", n, total)
	one := e.page("s", freshet.Offset{}, freshet.Limit{Records: 1})
	e.equal("a page of one", len(one.Records), 1)
}
