package journal

import (
	"bytes"
	"context"
	"errors"
	"math"
	"runtime"
	"sync"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

const (
	// smallestStretch is how many events are worth a reader of their own.
	smallestStretch = 2000
	// mostStretches bounds how many readers one verification takes.
	mostStretches = 4
)

// Verify reads an organisation's whole chain and checks numbers and hashes. A
// [*BrokenError] names the first event that is not as it was written.
func Verify(ctx context.Context, d *db.DB, org entente.OrgID) (Report, error) {
	var h head
	var last int64
	err := d.Read(ctx, func(tx *db.Tx) (err error) {
		h, err = readHead(ctx, tx, org)
		if err != nil {
			return err
		}
		last, err = lastEvent(ctx, tx, org)
		return err
	})
	if err != nil {
		return Report{Org: org}, err
	}
	broken := func(seq int64, reason entente.Message) (Report, error) {
		return Report{Org: org}, &BrokenError{Org: org, Seq: seq, Reason: reason}
	}
	parts, err := readStretches(ctx, d, org, h.seq)
	if err != nil {
		return Report{Org: org}, err
	}
	end := stretch{first: firstPrev, hash: firstPrev}
	for _, s := range parts {
		switch {
		case s.from > end.to:
			return broken(end.to+1, entente.Say("it is missing; %d events were written", h.seq))
		case s.to > s.from && !bytes.Equal(s.first, end.hash):
			return broken(s.from+1, namesAnother)
		case !s.wrong.Blank():
			return broken(s.to+1, s.wrong)
		}
		end = s
	}
	switch {
	case h.seq > end.to:
		return broken(end.to+1, entente.Say("it is missing; %d events were written", h.seq))
	case h.seq < last:
		return broken(h.seq+1, entente.Say("it is not among the events that were written"))
	case !bytes.Equal(h.hash, end.hash):
		return broken(h.seq, entente.Say("it is not the one that was written"))
	}
	return Report{Org: org, Events: h.seq, Hash: end.hash}, nil
}

// stretch is a part of a chain that one reader checks: the events after number
// from, which hold together up to number to.
type stretch struct {
	from, to int64
	first    []byte // the hash that its first event names as the one before
	hash     []byte // of its latest event
	wrong    entente.Message
}

// readStretches checks the events up to a number in parts side by side, because
// reading costs more than hashing.
func readStretches(ctx context.Context, d *db.DB, org entente.OrgID, upTo int64) ([]stretch, error) {
	n := max(1, min(upTo/smallestStretch, int64(runtime.GOMAXPROCS(0)), mostStretches))
	parts, errs := make([]stretch, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			parts[i], errs[i] = readStretch(ctx, d, org, upTo*i/n, upTo*(i+1)/n)
		})
	}
	wg.Wait()
	return parts, errors.Join(errs...)
}

var errBroken = errors.New("broken")

func readStretch(ctx context.Context, d *db.DB, org entente.OrgID, from, upTo int64) (s stretch, err error) {
	err = d.Read(ctx, func(tx *db.Tx) error {
		s = stretch{from: from, to: from}
		after := from
		if from == 0 {
			after = math.MinInt64 // no event has a number below 1
		}
		return eachEvent(ctx, tx, org, after, upTo, func(e Event) error {
			if s.first == nil {
				s.first, s.hash = e.Prev, e.Prev
			}
			s.wrong = follows(e, s.to, s.hash)
			if !s.wrong.Blank() {
				return errBroken
			}
			s.to, s.hash = e.Seq, e.Hash
			return nil
		})
	})
	if errors.Is(err, errBroken) {
		err = nil
	}
	return s, err
}
