package memstore_test

import (
	"testing"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/storetest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStore(t *testing.T) {
	storetest.Run(t, storetest.Subject{
		New: func(t storetest.TB, clock *storetest.Clock) func() freshet.Store {
			return func() freshet.Store { return memstore.New(memstore.Options{Now: clock.Now}) }
		},
		Volatile: true,
	})
}
