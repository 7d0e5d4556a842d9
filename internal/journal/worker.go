package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// Consumer follows the events of every organisation.
type Consumer struct {
	// Name is the key of its cursor: the room and what it does, "advisory.match".
	// Another name is another consumer, which begins at the first event.
	Name string
	// Kinds are the events it wants; none means all.
	Kinds []Kind
	// Handle makes the effect of one event. It may run again for the same event,
	// and does everything through the transaction, which also moves the cursor.
	Handle func(ctx context.Context, tx *db.Tx, e Event) error
}

func (c Consumer) wants(k Kind) bool { return len(c.Kinds) == 0 || slices.Contains(c.Kinds, k) }

// Runner moves consumers and jobs on. Every replica of a node runs one. The
// exported fields have working values, and may be changed before [Runner.Run].
type Runner struct {
	Poll        time.Duration           // how often to look for what other replicas left, and for what came due
	Lease       time.Duration           // how long a job belongs to a replica that stays silent
	Grace       time.Duration           // how long running handlers may go on after a stop
	Workers     int                     // organisations whose events are handled at once
	JobWorkers  int                     // jobs that run at once
	MaxAttempts int                     // attempts of a job before it is dead
	Backoff     func(int) time.Duration // the wait after the n-th failure in a row

	d         *db.DB
	log       *slog.Logger
	consumers []Consumer
	jobs      map[string]JobHandler

	events *agenda
	due    *agenda

	mu     sync.Mutex
	clean  map[entente.OrgID]int64 // up to here no consumer has anything left to do
	passed map[pass]int64          // from its cursor up to here, the consumer wants nothing
}

// NewRunner makes a runner for the consumers and, by kind, the handlers of jobs.
func NewRunner(d *db.DB, log *slog.Logger, consumers []Consumer, jobs map[string]JobHandler) *Runner {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Runner{
		Poll: time.Second, Lease: 2 * time.Minute, Grace: 10 * time.Second,
		Workers: 8, JobWorkers: 4, MaxAttempts: 12, Backoff: Backoff,
		d: d, log: log, consumers: slices.Clone(consumers), jobs: jobs,
		events: newAgenda(true), due: newAgenda(false), clean: map[entente.OrgID]int64{}, passed: map[pass]int64{},
	}
}

// Nudge makes a running runner look at an organisation now. Commits of this
// process with events or jobs do so by themselves.
func (r *Runner) Nudge(org entente.OrgID) {
	r.events.add(org)
	r.due.add(org)
}

// hear is told what a commit of this process has brought.
func (r *Runner) hear(org entente.OrgID, news db.News) {
	if news&db.NewEvents != 0 {
		r.events.add(org)
	}
	if news&db.DueJobs != 0 {
		r.due.add(org)
	}
}

// Run works until ctx ends, then waits for the handlers that are running, at
// most [Runner.Grace], before it cancels and awaits them.
func (r *Runner) Run(ctx context.Context) error {
	if err := r.check(); err != nil {
		return err
	}
	// What runs when the stop comes may finish.
	work, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	unwatch := r.d.Watch(r.hear)
	defer unwatch()
	var wg sync.WaitGroup
	for range r.Workers {
		wg.Go(func() { r.follow(ctx, work) })
	}
	for range r.JobWorkers {
		wg.Go(func() { r.labour(ctx, work) })
	}
	r.look(ctx)
	ended := make(chan struct{})
	go func() {
		wg.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-time.After(r.Grace):
		r.log.Warn("handlers are still running after the stop; they are cancelled", "waited", r.Grace)
		abort()
		<-ended
		return nil
	}
}

func (r *Runner) check() error {
	names := map[string]bool{}
	for _, c := range r.consumers {
		if c.Name == "" || c.Handle == nil {
			return fmt.Errorf("journal: consumer %q needs a name and a handler", c.Name)
		}
		if names[c.Name] {
			return fmt.Errorf("journal: two consumers are called %q", c.Name)
		}
		names[c.Name] = true
	}
	return nil
}

// look finds organisations with work until ctx ends.
func (r *Runner) look(ctx context.Context) {
	tick := time.NewTicker(r.Poll)
	defer tick.Stop()
	failures := 0
	for {
		err := r.discover(ctx)
		if err != nil && ctx.Err() == nil {
			failures++
			r.log.Error("the journal cannot look for work", "failures", failures, "error", err)
			if !pause(ctx, min(time.Duration(failures)*r.Poll, 15*time.Second)) {
				return
			}
			continue
		}
		failures = 0
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (r *Runner) discover(ctx context.Context) error {
	var heads map[entente.OrgID]int64
	var retries, due []entente.OrgID
	err := r.d.Read(ctx, func(tx *db.Tx) error {
		var err error
		heads, err = selectHeads(ctx, tx)
		if err != nil {
			return err
		}
		now := time.Now()
		retries, err = selectRetries(ctx, tx, now)
		if err != nil {
			return err
		}
		due, err = selectDue(ctx, tx, now)
		return err
	})
	if err != nil {
		return err
	}
	for org, seq := range heads {
		if r.cleanUpTo(org) < seq {
			r.events.add(org)
		}
	}
	for _, org := range retries {
		r.events.add(org)
	}
	for _, org := range due {
		r.due.add(org)
	}
	return nil
}

func (r *Runner) cleanUpTo(org entente.OrgID) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.clean[org]
}

func (r *Runner) setClean(org entente.OrgID, seq int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clean[org] = max(r.clean[org], seq)
}

// follow takes organisations from the agenda and handles their events, a round
// of batches at a time, so that a busy organisation does not keep others out.
func (r *Runner) follow(stop, work context.Context) {
	for {
		org, ok := r.events.next(stop)
		if !ok {
			return
		}
		more, err := r.round(stop, work, org)
		if err != nil && stop.Err() == nil {
			r.log.Error("events cannot be handled", "org", org, "error", err)
			// The next look finds the organisation again; this slows a broken database down.
			pause(stop, r.Poll)
		}
		r.events.done(org)
		if more && err == nil {
			r.events.add(org)
		}
	}
}

// round gives a turn to every consumer that has something to do.
func (r *Runner) round(stop, work context.Context, org entente.OrgID) (more bool, err error) {
	head, turns, idle, err := r.turns(work, org)
	if err != nil {
		return false, err
	}
	if len(turns) > 0 && !slices.ContainsFunc(turns, turn.apart) {
		// Most of the time all goes well. If not, each shows by itself what it cannot do.
		upTo, err := r.together(stop, work, org, head, turns, idle)
		if err == nil {
			r.setClean(org, upTo)
			return upTo == 0, nil
		}
	}
	for _, t := range turns {
		if stop.Err() != nil {
			return false, nil
		}
		left, _, err := r.turn(stop, work, org, t)
		if err != nil {
			return false, err
		}
		more = more || left
	}
	if !more {
		// Consumers in back-off are found by their retry time.
		r.setClean(org, head)
	}
	return more, nil
}

// turn is what a consumer has to do: an event that it wants, or a cursor to move on.
type turn struct {
	consumer Consumer
	at       cursor
	wanted   bool  // an event
	seen     int64 // without one, it was looked for up to here
}

// apart says that the turn is to be taken for itself: the consumer has failed before,
// or has only its cursor to move.
func (t turn) apart() bool { return t.at.failures > 0 || !t.wanted }

// pass names a consumer's way through the events of an organisation.
type pass struct {
	org      entente.OrgID
	consumer string
}

// turns looks once for all consumers which of them have something to do. What a
// consumer was seen not to want is not looked at again by this process.
func (r *Runner) turns(ctx context.Context, org entente.OrgID) (head int64, list, idle []turn, err error) {
	err = r.d.Read(ctx, func(tx *db.Tx) (err error) {
		head, list, idle, err = r.lookAt(ctx, tx, org)
		return err
	})
	if err != nil {
		return 0, nil, nil, err
	}
	for _, t := range slices.Concat(list, idle) {
		r.passing(pass{org, t.consumer.Name}, t.seen)
	}
	for _, t := range idle {
		if t.seen-t.at.seq >= farBehind {
			list = append(list, t)
		}
	}
	return head, list, idle, nil
}

// lookAt says which consumers have something to do, as a transaction sees it, and up
// to where the others have nothing: up to head, which is the last event there is if
// there are such others.
func (r *Runner) lookAt(ctx context.Context, tx *db.Tx, org entente.OrgID) (head int64, list, idle []turn, err error) {
	cursors, err := selectCursors(ctx, tx, org)
	if err != nil {
		return 0, nil, nil, err
	}
	head = math.MaxInt64
	for _, c := range r.consumers {
		t := turn{consumer: c, at: cursors[c.Name]}
		if t.at.failures > 0 && time.Now().Before(t.at.retryAt) {
			continue
		}
		t.seen = max(t.at.seq, r.passedBy(pass{org, c.Name}))
		head = min(head, t.seen)
		idle = append(idle, t)
	}
	if len(idle) == 0 {
		head, err = Head(ctx, tx, org)
		return head, nil, nil, err
	}
	for full := true; full && len(idle) > 0; {
		page, err := selectMarks(ctx, tx, org, head)
		if err != nil {
			return 0, nil, nil, err
		}
		full = len(page) == markPage
		for _, m := range page {
			head = m.seq
			idle = slices.DeleteFunc(idle, func(t turn) bool {
				t.wanted = m.seq > t.seen && t.consumer.wants(m.kind)
				if t.wanted {
					t.seen = m.seq - 1
					list = append(list, t)
				}
				return t.wanted
			})
		}
	}
	for i := range idle {
		idle[i].seen = max(idle[i].seen, head)
	}
	return head, list, idle, nil
}

// together gives consumers their turns in one transaction, also those who had nothing to
// do up to head but for what the others tell them in it. Where nothing is left, it gives
// the last event there is; 0: there is more to do. Any error undoes everything.
func (r *Runner) together(stop, work context.Context, org entente.OrgID, head int64, list, idle []turn) (upTo int64, err error) {
	err = r.d.Write(work, org, func(tx *db.Tx) error {
		upTo = 0
		began := time.Now()
		now, err := Head(work, tx, org)
		if err != nil {
			return err
		}
		whole := now == head // nothing has happened since they were asked
		for left := list; len(left) > 0; {
			if time.Since(began) >= batchTime || stop.Err() != nil {
				return nil
			}
			before := len(appended(tx))
			for _, t := range left {
				var at Event
				all, err := r.handle(stop, work, tx, org, t.consumer, batchEvents, &at)
				if err != nil {
					return err
				}
				whole = whole && all
			}
			left = nil
			for _, t := range slices.Concat(list, idle) {
				if slices.ContainsFunc(appended(tx)[before:], func(m mark) bool { return t.consumer.wants(m.kind) }) {
					left = append(left, t)
				}
			}
		}
		if whole {
			upTo, err = Head(work, tx, org)
		}
		return err
	})
	return upTo, err
}

func (r *Runner) passedBy(p pass) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.passed[p]
}

func (r *Runner) passing(p pass, seq int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.passed[p] = max(r.passed[p], seq)
}

const (
	// batchEvents and batchTime bound what one transaction of a consumer handles.
	batchEvents = 64
	batchTime   = 200 * time.Millisecond
	// farBehind is how many unwanted events a cursor passes before that is
	// written down; until then it would cost a write for nothing.
	farBehind = 256
)

// advance handles a batch of what one consumer has not seen yet, also if it is in
// back-off. It says whether more is left to do now, and why the handler failed, if it
// did; that failure is written down. The other error is one of the journal itself.
func (r *Runner) advance(ctx context.Context, org entente.OrgID, c Consumer) (more bool, failure, err error) {
	t := turn{consumer: c}
	err = r.d.Read(ctx, func(tx *db.Tx) error {
		var err error
		t.at, err = readCursor(ctx, tx, org, c.Name)
		if err != nil {
			return err
		}
		look := search{org: org, wanted: c.wants, seen: t.at.seq}
		found, err := look.next(ctx, tx)
		t.wanted, t.seen = found > 0, look.seen
		return err
	})
	if err != nil || !t.wanted && t.seen-t.at.seq < farBehind {
		return false, nil, err
	}
	return r.turn(ctx, ctx, org, t)
}

// turn gives a consumer its turn, and says what [Runner.advance] says.
func (r *Runner) turn(stop, work context.Context, org entente.OrgID, t turn) (more bool, failure, err error) {
	c := t.consumer
	if !t.wanted {
		return false, nil, r.skip(work, org, c, t.seen)
	}
	size := batchEvents
	if t.at.failures > 0 {
		size = 1
	}
	failure, err = r.batch(stop, work, org, c, size)
	if failure != nil && size > 1 {
		// What was before the bad event is worth keeping.
		failure, err = r.batch(stop, work, org, c, 1)
	}
	if err != nil {
		return false, nil, err
	}
	if failure != nil {
		if work.Err() != nil {
			return false, failure, nil
		}
		return false, failure, r.stumbled(work, org, c, failure)
	}
	return true, nil, nil
}

// skip moves a cursor over events that the consumer does not want.
func (r *Runner) skip(ctx context.Context, org entente.OrgID, c Consumer, to int64) error {
	return r.d.Write(ctx, org, func(tx *db.Tx) error {
		at, err := readCursor(ctx, tx, org, c.Name)
		if err != nil || at.seq >= to {
			return err
		}
		return writeCursor(ctx, tx, org, c.Name, cursor{seq: to})
	})
}

// handlerError is the failure of a consumer at one event.
type handlerError struct {
	seq  int64
	kind Kind
	err  error
}

// Error implements error.
func (e *handlerError) Error() string {
	return fmt.Sprintf("event %d (%s): %v", e.seq, e.kind, e.err)
}

// Unwrap gives the error of the handler.
func (e *handlerError) Unwrap() error { return e.err }

// batch handles up to size events and moves the cursor, in one transaction.
func (r *Runner) batch(stop, work context.Context, org entente.OrgID, c Consumer, size int) (failure, err error) {
	var current Event // the event that the handler works on
	err = r.d.Write(work, org, func(tx *db.Tx) error {
		_, err := r.handle(stop, work, tx, org, c, size, &current)
		return err
	})
	if err != nil && current.Seq > 0 {
		return &handlerError{current.Seq, current.Kind, err}, nil
	}
	return nil, err
}

// handle is [Runner.batch] inside a Write, and says whether it did all there was when it
// began. The cursor is read there: another replica may have been quicker.
func (r *Runner) handle(stop, work context.Context, tx *db.Tx, org entente.OrgID, c Consumer, size int, current *Event) (all bool, err error) {
	*current = Event{}
	began := time.Now()
	at, err := readCursor(work, tx, org, c.Name)
	if err != nil {
		return false, err
	}
	look := search{org: org, wanted: c.wants, seen: max(at.seq, r.passedBy(pass{org, c.Name}))}
	for done := 0; done < size && (done == 0 || time.Since(began) < batchTime && stop.Err() == nil); done++ {
		found, err := look.next(work, tx)
		if err != nil {
			return false, err
		}
		if found == 0 {
			all = true
			break
		}
		e, err := selectEvent(work, tx, org, found)
		if err != nil {
			return false, err
		}
		*current = e
		if err := safely(func() error { return c.Handle(work, tx, e) }); err != nil {
			return false, err
		}
	}
	if look.seen == at.seq {
		return all, nil
	}
	if err := writeCursor(work, tx, org, c.Name, cursor{seq: look.seen}); err != nil {
		// Also if the handler kept the failure of a statement to itself.
		return false, err
	}
	*current = Event{}
	return all, nil
}

// stumbled writes a consumer's failure down, unless it has moved on elsewhere.
func (r *Runner) stumbled(ctx context.Context, org entente.OrgID, c Consumer, failure error) error {
	var bad *handlerError
	if !errors.As(failure, &bad) {
		return failure
	}
	var next cursor
	err := r.d.Write(ctx, org, func(tx *db.Tx) error {
		at, err := readCursor(ctx, tx, org, c.Name)
		if err != nil {
			return err
		}
		next = cursor{}
		if at.seq >= bad.seq {
			return nil
		}
		wait := r.Backoff(at.failures + 1)
		next = cursor{seq: at.seq, failures: at.failures + 1, retryAt: time.Now().Add(wait), err: printable(failure.Error())}
		return writeCursor(ctx, tx, org, c.Name, next)
	})
	if err == nil && next.failures > 0 {
		r.log.Warn("a consumer failed and will try again", "org", org, "consumer", c.Name, "event", bad.seq, "kind", bad.kind,
			"failures", next.failures, "again", next.retryAt, "error", bad.err)
	}
	return err
}

// labour takes organisations from the agenda and runs their due jobs.
func (r *Runner) labour(stop, work context.Context) {
	for {
		org, ok := r.due.next(stop)
		if !ok {
			return
		}
		if err := r.jobOf(work, org); err != nil && stop.Err() == nil {
			r.log.Error("jobs cannot be run", "org", org, "error", err)
			pause(stop, r.Poll)
		}
	}
}

func (r *Runner) jobOf(ctx context.Context, org entente.OrgID) error {
	if len(r.jobs) == 0 {
		return nil
	}
	job, more, err := r.claim(ctx, org)
	if err != nil || job == nil {
		return err
	}
	if more {
		r.due.add(org) // for the others meanwhile
	}
	return r.work(ctx, job)
}

// CatchUp runs everything that the organisation has due, here and now, until
// nothing is left: for the command line and for tests. Consumers in back-off get
// one try. The error tells which consumers and jobs failed.
func (r *Runner) CatchUp(ctx context.Context, org entente.OrgID) error {
	if err := r.check(); err != nil {
		return err
	}
	var errs []error
	failed := map[string]bool{}
	for {
		busy := false
		for _, c := range r.consumers {
			if failed[c.Name] {
				continue
			}
			more, failure, err := r.advance(ctx, org, c)
			if err != nil {
				return err
			}
			if failure != nil {
				failed[c.Name] = true
				errs = append(errs, fmt.Errorf("%s: %w", c.Name, failure))
			}
			busy = busy || more
		}
		job, _, err := r.claim(ctx, org)
		if err != nil {
			return err
		}
		if job != nil {
			busy = true
			if err := r.work(ctx, job); err != nil {
				return err
			}
			if !job.finished {
				errs = append(errs, fmt.Errorf("job %d (%s): %w", job.ID, job.Kind, job.failure))
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if !busy {
			return errors.Join(errs...)
		}
	}
}

// ConsumerStatus is how far a consumer has come in an organisation.
type ConsumerStatus struct {
	Consumer string
	Seq      int64 // the last event that it is done with
	Behind   int64 // events it has not looked at; those that it does not want count too
	Failures int   // in a row
	RetryAt  time.Time
	Error    string // of the last failure; names the event
}

// Consumers tells how far each consumer has come in an organisation. One that
// never had anything to do is not listed.
func Consumers(ctx context.Context, tx *db.Tx, org entente.OrgID) ([]ConsumerStatus, error) {
	head, err := Head(ctx, tx, org)
	if err != nil {
		return nil, err
	}
	cursors, err := selectCursors(ctx, tx, org)
	if err != nil {
		return nil, err
	}
	out := make([]ConsumerStatus, 0, len(cursors))
	for name, c := range cursors {
		out = append(out, ConsumerStatus{Consumer: name, Seq: c.seq, Behind: head - c.seq, Failures: c.failures, RetryAt: c.retryAt, Error: c.err})
	}
	slices.SortFunc(out, func(a, b ConsumerStatus) int { return strings.Compare(a.Consumer, b.Consumer) })
	return out, nil
}

// safely turns a panic of a handler into its failure.
func safely(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

// printable makes an error's text fit for a column, and short enough to read.
func printable(s string) string {
	const most = 2000
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// pause waits, and says whether ctx still lives.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
