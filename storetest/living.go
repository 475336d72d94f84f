package storetest

import (
	"fmt"

	"github.com/freshet-stream/freshet"
)

func living() []clause {
	return []clause{
		{name: "Reopen/EverythingIsThere(2,4,5)", check: reopenKeeps, needs: []need{needReopen}},
		{name: "Reopen/ReplacedMetaAndRenewals", check: reopenMeta, needs: []need{needReopen}},
		{name: "Reopen/DeletedStaysDeleted", check: reopenDeleted, needs: []need{needReopen}},
	}
}

func reopenKeeps(e *env) {
	unit := e.clock.unit()
	want := map[string]freshet.Info{}
	for i, name := range oddNames() {
		c := freshet.Creation{Nonce: freshet.NewNonce(), Meta: []byte(name), Spec: freshet.Spec{ContentType: "text/plain", KeepOpen: 100 * unit}}
		if i%2 == 0 {
			c.First = &freshet.Append{Records: text("first"), Lease: 50 * unit}
		}
		if _, _, err := e.store().Create(e.Context(), name, c); err != nil {
			e.Fatalf("create %q: %v", name, err)
		}
		for k := range i {
			e.append(name, freshet.Append{Records: text(fmt.Sprint(name, k)), StreamSeq: fmt.Sprintf("%03d", k)})
		}
		if i%3 == 0 {
			e.append(name, freshet.Append{Records: text("last"), Producer: producer("p", 1, 0), Close: &freshet.Closing{Reason: freshet.Failed, Detail: []byte(name)}})
		}
		want[name] = e.info(name)
	}
	pages := map[string]freshet.Page{}
	for name := range want {
		pages[name] = e.page(name, freshet.Offset{}, freshet.Limit{})
	}
	for range 2 {
		e.reopen()
		for name, info := range want {
			e.equal("info", e.info(name), info)
			e.equal("page", e.page(name, freshet.Offset{}, freshet.Limit{}), pages[name])
			if info.Closed == nil && info.Tail.Seq > 1 {
				e.refused(name, freshet.Append{Records: text("no"), StreamSeq: "000"}, freshet.ErrStale)
			}
		}
	}
}

func reopenMeta(e *env) {
	e.create("s", freshet.Spec{})
	e.append("s", freshet.Append{Meta: []byte("one"), Lease: 90 * e.clock.unit()})
	e.renew("s", freshet.Renewal{Lease: 100 * e.clock.unit(), Watched: e.clock.unit()})
	want := e.info("s")
	e.reopen()
	e.equal("info", e.info("s"), want)
	e.append("s", freshet.Append{Meta: []byte{}})
	e.reopen()
	e.equal("meta", len(e.info("s").Meta), 0)
	if err := e.store().Delete(e.Context(), "s"); err != nil {
		e.Fatalf("delete: %v", err)
	}
	e.create("s", freshet.Spec{})
	e.append("s", freshet.Append{Records: text("a")})
	e.reopen()
	e.equal("meta of the next incarnation", len(e.info("s").Meta), 0)
}

func reopenDeleted(e *env) {
	e.create("s", freshet.Spec{})
	old := e.append("s", freshet.Append{Records: text("a"), Producer: producer("p", 0, 0)}).Tail
	if err := e.store().Delete(e.Context(), "s"); err != nil {
		e.Fatalf("delete: %v", err)
	}
	e.reopen()
	e.missing("s")
	e.create("s", freshet.Spec{})
	e.append("s", freshet.Append{Records: text("b"), Producer: producer("p", 0, 0)})
	e.reopen()
	e.gap("s", old, freshet.GapDiverged)
	e.equal("data", e.data("s", freshet.Offset{}, freshet.Limit{}), []string{"b"})
}
