package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// JobState is where a job stands.
type JobState string

// The states of a job.
const (
	JobWaiting JobState = "waiting" // until its time
	JobRunning JobState = "running" // leased by a replica
	JobDone    JobState = "done"
	JobDead    JobState = "dead" // given up; Error says why
)

// keepDone is how long a finished job is kept for people to look at.
const keepDone = 7 * 24 * time.Hour

// Job is work that is due at a time.
type Job struct {
	Org     entente.OrgID
	ID      int64
	Kind    string // the room and what is to do: "advisory.refresh"
	Body    json.RawMessage
	State   JobState
	Attempt int // 1 for the first
	// At is when the job is due while it waits, the end of its lease while it
	// runs, and when it ended after that.
	At      time.Time
	Created time.Time
	Error   string // of the attempt before

	d        *db.DB
	r        *Runner
	finished bool
	failure  error
	alike    []*Job // claimed by its handler
}

// JobHandler does a job. What it does outside the database may happen more than
// once. What it does in the database belongs into [Job.Finish], which it calls
// at most once; if it returns nil without, the job is finished all the same.
type JobHandler func(ctx context.Context, job *Job) error

// ErrLeaseLost says that another attempt has taken the job over; the effect of
// this one was not kept.
var ErrLeaseLost = errors.New("the job was taken over by a later attempt")

// giveUp marks an error after which a job is not tried again.
type giveUp struct{ error }

// Unwrap gives the error itself.
func (g giveUp) Unwrap() error { return g.error }

// GiveUp makes a handler's error final: the job is dead at once.
func GiveUp(err error) error { return giveUp{err} }

// Decode reads the body into a value.
func (j *Job) Decode(into any) error {
	if err := json.Unmarshal(j.Body, into); err != nil {
		return GiveUp(fmt.Errorf("job %d (%s): %w", j.ID, j.Kind, err))
	}
	return nil
}

// Finish writes the job's effect and marks it done in one transaction, unless
// another attempt has taken the job over ([ErrLeaseLost]).
func (j *Job) Finish(ctx context.Context, effect func(*db.Tx) error) error {
	if j.finished {
		return errors.New("journal: a job was finished twice")
	}
	err := j.d.Write(ctx, j.Org, func(tx *db.Tx) error {
		ok, err := updateJob(ctx, tx, *j, JobDone, j.Attempt, time.Now(), "")
		if err != nil {
			return err
		}
		if !ok {
			return ErrLeaseLost
		}
		if effect == nil {
			return nil
		}
		return effect(tx)
	})
	if err == nil {
		j.finished = true
	}
	return err
}

// Alike claims further due jobs of the same kind and organisation for the handler, at
// most so many, in one transaction: for work that is cheaper together. The handler
// finishes them by [FinishAll]; those that it leaves fail with it, or for themselves.
func (j *Job) Alike(ctx context.Context, most int) ([]*Job, error) {
	var claimed []*Job
	err := j.d.Write(ctx, j.Org, func(tx *db.Tx) error {
		claimed = nil
		now := time.Now()
		list, err := selectAlike(ctx, tx, j.Org, j.Kind, now, most)
		if err != nil {
			return err
		}
		for _, other := range list {
			until := now.Add(j.r.Lease)
			if _, err := updateJob(ctx, tx, other, JobRunning, other.Attempt+1, until, other.Error); err != nil {
				return err
			}
			other.State, other.Attempt, other.At, other.d, other.r = JobRunning, other.Attempt+1, until, j.d, j.r
			claimed = append(claimed, &other)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, other := range claimed {
		// Who has lost a lease learns it when it finishes.
		go j.r.renew(ctx, *other, func(error) {})
	}
	j.alike = append(j.alike, claimed...)
	return claimed, nil
}

// FinishAll is [Job.Finish] for several jobs of an organisation, in one transaction.
// Those that another attempt has taken over are left out, as nothing of theirs is to
// be kept.
func FinishAll(ctx context.Context, jobs []*Job, effect func(*db.Tx, *Job) error) error {
	if len(jobs) == 0 {
		return nil
	}
	var kept []*Job
	err := jobs[0].d.Write(ctx, jobs[0].Org, func(tx *db.Tx) error {
		kept = nil
		for _, j := range jobs {
			if j.finished {
				return errors.New("journal: a job was finished twice")
			}
			ok, err := updateJob(ctx, tx, *j, JobDone, j.Attempt, time.Now(), "")
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if err := effect(tx, j); err != nil {
				return err
			}
			kept = append(kept, j)
		}
		return nil
	})
	if err == nil {
		for _, j := range kept {
			j.finished = true
		}
	}
	return err
}

// Schedule adds a job inside the Write of a room, and gives its number.
func Schedule(ctx context.Context, tx *db.Tx, org entente.OrgID, kind string, due time.Time, body any) (int64, error) {
	if err := writesFor(tx, org); err != nil {
		return 0, err
	}
	if kind == "" {
		return 0, errors.New("journal: a job needs a kind")
	}
	raw, err := encode(body)
	if err != nil {
		return 0, fmt.Errorf("job %s: %w", kind, err)
	}
	h, err := readHead(ctx, tx, org)
	if err != nil {
		return 0, err
	}
	h.job++
	writeHead(ctx, tx, h)
	job := Job{Org: org, ID: h.job, Kind: kind, Body: raw, State: JobWaiting, At: due, Created: time.Now()}
	if err := insertJob(ctx, tx, job); err != nil {
		return 0, err
	}
	if !due.After(job.Created) {
		tx.Announce(db.DueJobs) // who comes later is found when it is due
	}
	return job.ID, nil
}

// Jobs gives an organisation's jobs in a state, or in any if the state is empty,
// in the order of [Job.At].
func Jobs(ctx context.Context, tx *db.Tx, org entente.OrgID, state JobState, limit int) ([]Job, error) {
	return selectJobs(ctx, tx, org, state, limit)
}

// Revive gives a dead job another round of attempts, due now.
func Revive(ctx context.Context, tx *db.Tx, org entente.OrgID, id int64) error {
	if err := writesFor(tx, org); err != nil {
		return err
	}
	job, err := selectJob(ctx, tx, org, id)
	if errors.Is(err, db.ErrNoRow) {
		return entente.NotFound("there is no job %d", id)
	}
	if err != nil {
		return err
	}
	if job.State != JobDead {
		return entente.Conflict("job %d is %s, not dead", id, job.State)
	}
	// A new number fences off whoever may still believe to hold the old attempt.
	_, err = Schedule(ctx, tx, org, job.Kind, time.Now(), job.Body)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "DELETE FROM journal_job WHERE org = $1 AND id = $2", org, id)
	return err
}

// claim leases the organisation's next due job to this runner, and says whether there
// are more. It also buries jobs whose last lease ran out.
func (r *Runner) claim(ctx context.Context, org entente.OrgID) (claimed *Job, more bool, err error) {
	due := false
	// Most looks find nothing, and a look should not queue up with the writers.
	err = r.d.Read(ctx, func(tx *db.Tx) error {
		jobs, err := selectClaimable(ctx, tx, org, time.Now(), r.handles)
		due = len(jobs) > 0
		return err
	})
	if err != nil || !due {
		return nil, false, err
	}
	err = r.d.Write(ctx, org, func(tx *db.Tx) error {
		claimed = nil
		now := time.Now()
		if err := deleteDone(ctx, tx, org, now.Add(-keepDone)); err != nil {
			return err
		}
		for {
			jobs, err := selectClaimable(ctx, tx, org, now, r.handles)
			if err != nil || len(jobs) == 0 {
				return err
			}
			var job Job
			job, more = jobs[0], len(jobs) > 1
			if job.State == JobRunning && job.Attempt >= r.MaxAttempts {
				reason := fmt.Sprintf("given up after attempt %d, whose lease ran out: the program ended or hung while it worked", job.Attempt)
				if job.Error != "" {
					reason += "; before that: " + job.Error
				}
				if _, err := updateJob(ctx, tx, job, JobDead, job.Attempt, now, reason); err != nil {
					return err
				}
				continue
			}
			until := now.Add(r.Lease)
			if _, err := updateJob(ctx, tx, job, JobRunning, job.Attempt+1, until, job.Error); err != nil {
				return err
			}
			job.State, job.Attempt, job.At, job.d, job.r = JobRunning, job.Attempt+1, until, r.d, r
			claimed = &job
			return nil
		}
	})
	return claimed, more, err
}

// work runs one claimed job to its end and writes down how it went.
func (r *Runner) work(ctx context.Context, job *Job) error {
	handler := r.jobs[job.Kind]
	hctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	renewed := make(chan struct{})
	held := *job // as it was claimed; the handler changes its own
	go func() {
		defer close(renewed)
		r.renew(hctx, held, cancel)
	}()
	err := safely(func() error { return handler(hctx, job) })
	if err == nil && !job.finished {
		err = job.Finish(hctx, nil)
	}
	cancel(nil)
	<-renewed
	for _, other := range job.alike {
		if other.finished {
			continue
		}
		cause := err
		if cause == nil {
			cause = errors.New("it was not finished with the others")
		}
		if err := r.failed(ctx, other, cause); err != nil {
			return err
		}
	}
	switch {
	case job.finished && err == nil:
		return nil
	case job.finished:
		r.log.Warn("a job failed after it was finished", "org", job.Org, "job", job.ID, "kind", job.Kind, "error", err)
		return nil
	case errors.Is(err, ErrLeaseLost) || errors.Is(context.Cause(hctx), ErrLeaseLost):
		job.failure = ErrLeaseLost
		r.log.Warn("a job was taken over by a later attempt", "org", job.Org, "job", job.ID, "kind", job.Kind, "attempt", job.Attempt)
		return nil
	}
	return r.failed(ctx, job, err)
}

// failed makes a job wait for its next attempt, or gives it up.
func (r *Runner) failed(ctx context.Context, job *Job, cause error) error {
	job.failure = cause
	var final giveUp
	state, at, reason := JobWaiting, time.Now().Add(r.Backoff(job.Attempt)), cause.Error()
	switch {
	case errors.As(cause, &final):
		state, at = JobDead, time.Now()
	case job.Attempt >= r.MaxAttempts:
		state, at, reason = JobDead, time.Now(), fmt.Sprintf("given up after %d attempts: %s", job.Attempt, reason)
	}
	r.log.Warn("a job failed", "org", job.Org, "job", job.ID, "kind", job.Kind, "attempt", job.Attempt, "state", state, "error", cause)
	// Also when the runner is stopping: the job need not wait for its lease to end.
	ctx = context.WithoutCancel(ctx)
	return r.d.Write(ctx, job.Org, func(tx *db.Tx) error {
		_, err := updateJob(ctx, tx, *job, state, job.Attempt, at, printable(reason))
		return err
	})
}

// renew extends the lease while the handler works, and stops the handler if the
// lease is lost.
func (r *Runner) renew(ctx context.Context, job Job, lost context.CancelCauseFunc) {
	tick := time.NewTicker(r.Lease / 3)
	defer tick.Stop()
	end := job.At
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var ok bool
		until := time.Now().Add(r.Lease)
		// Who cannot renew in time must stop, and be given time to, before another
		// may begin.
		rctx, cancel := context.WithDeadline(ctx, end.Add(-r.Lease/8))
		err := r.d.Write(rctx, job.Org, func(tx *db.Tx) error {
			var err error
			ok, err = updateJob(rctx, tx, job, JobRunning, job.Attempt, until, job.Error)
			return err
		})
		cancel()
		switch {
		case err == nil && ok:
			end = until
		case err == nil:
			// Finished meanwhile, or taken over; after Finish nobody minds.
			lost(ErrLeaseLost)
			return
		case !time.Now().Before(end.Add(-r.Lease / 8)):
			lost(ErrLeaseLost)
			return
		}
	}
}

func (r *Runner) handles(kind string) bool { return r.jobs[kind] != nil }
