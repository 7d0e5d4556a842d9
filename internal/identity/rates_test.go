package identity

import (
	"sync"
	"testing"
	"time"

	"github.com/entente-project/entente"
)

func TestRateLimits(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		try := func(email, password, address string) error {
			_, _, err := h.SignIn(h.ctx, email, password, Client{Address: address})
			return err
		}
		var err error
		n := 0
		for n = 1; n < 20; n++ {
			if err = try("ada@beanline.example", "guess guess guess", "192.0.2.1"); entente.KindOf(err) != entente.KindDenied {
				break
			}
		}
		h.want(entente.KindUnavailable, err, "try again in 2 seconds", "UTC")
		if n != limitAccount.free+2 {
			t.Errorf("refused at attempt %d", n)
		}
		if wait, ok := RetryAfter(err); !ok || wait != 2*time.Second {
			t.Errorf("retry after %v", wait)
		}
		// The right password has to wait as well, from everywhere; others do not.
		h.want(entente.KindUnavailable, try("ada@beanline.example", good, "198.51.100.9"))
		h.ok(try("rosa@roest.example", good, "192.0.2.1"))
		waits := []time.Duration{}
		for range 12 {
			wait, _ := RetryAfter(try("ada@beanline.example", "x", "198.51.100.9"))
			waits = append(waits, wait)
			h.pass(wait)
			h.want(entente.KindDenied, try("ada@beanline.example", "x", "198.51.100.9"))
		}
		if waits[1] != 4*time.Second || waits[11] != 15*time.Minute {
			t.Errorf("waits %v", waits)
		}
		h.pass(15 * time.Minute)
		h.ok(try("ada@beanline.example", good, "192.0.2.1"))
		h.want(entente.KindDenied, try("ada@beanline.example", "x", "192.0.2.1"))
		h.ok(try("ada@beanline.example", good, "192.0.2.1"))

		// One address that tries many accounts.
		h.pass(2 * time.Hour)
		for n = 1; n < 100; n++ {
			if err = try("person"+string(rune('a'+n%26))+string(rune('a'+n/26))+"@x.example", "guess guess guess", "203.0.113.5"); entente.KindOf(err) != entente.KindDenied {
				break
			}
		}
		h.want(entente.KindUnavailable, err)
		if n != limitAddress.free+2 {
			t.Errorf("the address was refused at attempt %d", n)
		}
		h.want(entente.KindUnavailable, try("ada@beanline.example", good, "203.0.113.5"))
		h.ok(try("ada@beanline.example", good, "203.0.113.6"))
	})
}

// Attempts at the same moment count as many, also on two replicas.
func TestRateLimitUnderConcurrency(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		other, err := New(h.ctx, h.d, h.config())
		h.ok(err)
		var mu sync.Mutex
		tried := 0
		var wg sync.WaitGroup
		for i := range 24 {
			s := []*Service{h.Service, other}[i%2]
			wg.Go(func() {
				_, _, err := s.SignIn(h.ctx, "ada@beanline.example", "guess guess guess", Client{})
				if entente.KindOf(err) == entente.KindDenied {
					mu.Lock()
					tried++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if tried != limitAccount.free+1 {
			t.Errorf("%d guesses were checked", tried)
		}
	})
}
