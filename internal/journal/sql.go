package journal

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// head is the end of an organisation's chain and the last number given to a job.
type head struct {
	seq  int64
	hash []byte
	job  int64
}

// headKey is under what a Write keeps the head, so that it is read and written once.
type headKey struct{}

// keptHead is the head, and what was appended in the Write.
type keptHead struct {
	head
	appended []mark
}

// appended gives what was appended in a Write so far.
func appended(tx *db.Tx) []mark {
	if kept, ok := tx.Kept(headKey{}).(*keptHead); ok {
		return kept.appended
	}
	return nil
}

func readHead(ctx context.Context, tx *db.Tx, org entente.OrgID) (head, error) {
	if kept, ok := tx.Kept(headKey{}).(*keptHead); ok && tx.Org() == org {
		return kept.head, nil
	}
	h, err := db.One(ctx, tx, func(s db.Scanner) (h head, err error) {
		return h, s.Scan(&h.seq, &h.hash, &h.job)
	}, "SELECT seq, hash, job FROM journal_head WHERE org = $1", org)
	if errors.Is(err, db.ErrNoRow) {
		return head{hash: firstPrev}, nil
	}
	return h, err
}

// writeHead sets the head of the organisation whose Write this is, after events were
// appended or a job was made.
func writeHead(ctx context.Context, tx *db.Tx, h head, events ...mark) {
	kept, ok := tx.Kept(headKey{}).(*keptHead)
	if !ok {
		kept, ctx = &keptHead{}, context.WithoutCancel(ctx)
		tx.Keep(headKey{}, kept, func() error { return saveHead(ctx, tx, tx.Org(), kept.head) })
	}
	kept.head, kept.appended = h, append(kept.appended, events...)
}

func saveHead(ctx context.Context, tx *db.Tx, org entente.OrgID, h head) error {
	_, err := tx.Exec(ctx, `INSERT INTO journal_head (org, seq, hash, job) VALUES ($1, $2, $3, $4)
		ON CONFLICT (org) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, job = excluded.job`,
		org, h.seq, h.hash, h.job)
	return err
}

func insertEvent(ctx context.Context, tx *db.Tx, e Event) error {
	_, err := tx.Exec(ctx, `INSERT INTO journal_event (org, seq, at, person, actor, role, door, kind, subject, body, prev, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		e.Org, e.Seq, db.Millis(e.At), e.Person, e.Actor, e.Role, e.Door, e.Kind, e.Subject, string(e.Body), e.Prev, e.Hash)
	return err
}

const eventColumns = "SELECT org, seq, at, person, actor, role, door, kind, subject, body, prev, hash FROM journal_event"

// scanEvent scans into plain strings, because a chain is verified at one go and
// other types take a way by reflection.
func scanEvent(s db.Scanner) (Event, error) {
	var e Event
	var at int64
	err := s.Scan((*string)(&e.Org), &e.Seq, &at, (*string)(&e.Person), &e.Actor, (*string)(&e.Role), (*string)(&e.Door), (*string)(&e.Kind), &e.Subject, (*[]byte)(&e.Body), &e.Prev, &e.Hash)
	e.At = db.Time(at)
	return e, err
}

func selectEvents(ctx context.Context, tx *db.Tx, org entente.OrgID, after int64, limit int) ([]Event, error) {
	return db.All(ctx, tx, scanEvent, eventColumns+" WHERE org = $1 AND seq > $2 ORDER BY seq LIMIT $3", org, after, limit)
}

func selectLatest(ctx context.Context, tx *db.Tx, org entente.OrgID, before int64, limit int) ([]Event, error) {
	q := db.Select(eventColumns).And("org = $1", org).AndIf(before > 0, "seq < $1", before)
	return db.AllOf(ctx, tx, scanEvent, q.Order("seq DESC").Page(limit, 0))
}

func selectLatestOf(ctx context.Context, tx *db.Tx, org entente.OrgID, kind Kind, after int64) (Event, error) {
	return db.One(ctx, tx, scanEvent, eventColumns+" WHERE org = $1 AND seq > $2 AND kind = $3 ORDER BY seq DESC LIMIT 1", org, after, kind)
}

func selectEvent(ctx context.Context, tx *db.Tx, org entente.OrgID, seq int64) (Event, error) {
	return db.One(ctx, tx, scanEvent, eventColumns+" WHERE org = $1 AND seq = $2", org, seq)
}

func eachEvent(ctx context.Context, tx *db.Tx, org entente.OrgID, do func(Event) error) error {
	return db.Each(ctx, tx, eventColumns+" WHERE org = $1 ORDER BY seq", func(s db.Scanner) error {
		e, err := scanEvent(s)
		if err != nil {
			return err
		}
		return do(e)
	}, org)
}

// mark is where an event of which kind stands.
type mark struct {
	seq  int64
	kind Kind
}

// markPage is how many events are looked over at once. Pages have their size in the text
// too: SQLite plans a statement anew at each use that has a LIMIT to fill in.
const markPage = 500

func selectMarks(ctx context.Context, tx *db.Tx, org entente.OrgID, after int64) ([]mark, error) {
	return db.All(ctx, tx, func(s db.Scanner) (m mark, err error) {
		return m, s.Scan(&m.seq, &m.kind)
	}, "SELECT seq, kind FROM journal_event WHERE org = $1 AND seq > $2 ORDER BY seq LIMIT 500", org, after)
}

func selectKinds(ctx context.Context, tx *db.Tx, org entente.OrgID, after int64) (map[Kind]int64, error) {
	latest := map[Kind]int64{}
	return latest, db.Each(ctx, tx, "SELECT kind, MAX(seq) FROM journal_event WHERE org = $1 AND seq > $2 GROUP BY kind", func(s db.Scanner) error {
		var kind Kind
		var seq int64
		err := s.Scan(&kind, &seq)
		latest[kind] = seq
		return err
	}, org, after)
}

// search finds the events that a consumer wants, one after the other.
type search struct {
	org    entente.OrgID
	wanted func(Kind) bool
	page   []mark
	last   bool  // that was the last page
	seen   int64 // looked at up to here
}

// next gives the number of the next wanted event, or 0 if there is none; then
// seen is the last event there was.
func (s *search) next(ctx context.Context, tx *db.Tx) (int64, error) {
	for {
		for len(s.page) > 0 {
			m := s.page[0]
			s.page = s.page[1:]
			s.seen = m.seq
			if s.wanted(m.kind) {
				return m.seq, nil
			}
		}
		if s.last {
			return 0, nil
		}
		var err error
		s.page, err = selectMarks(ctx, tx, s.org, s.seen)
		if err != nil {
			return 0, err
		}
		s.last = len(s.page) < markPage
	}
}

// cursor is how far a consumer has read, and what stops it.
type cursor struct {
	seq      int64
	failures int
	retryAt  time.Time
	err      string
}

func readCursor(ctx context.Context, tx *db.Tx, org entente.OrgID, consumer string) (cursor, error) {
	c, err := db.One(ctx, tx, func(s db.Scanner) (c cursor, err error) {
		var at int64
		err = s.Scan(&c.seq, &c.failures, &at, &c.err)
		c.retryAt = db.Time(at)
		return c, err
	}, "SELECT seq, failures, retry_at, error FROM journal_cursor WHERE org = $1 AND consumer = $2", org, consumer)
	if errors.Is(err, db.ErrNoRow) {
		return cursor{}, nil
	}
	return c, err
}

func writeCursor(ctx context.Context, tx *db.Tx, org entente.OrgID, consumer string, c cursor) error {
	_, err := tx.Exec(ctx, `INSERT INTO journal_cursor (org, consumer, seq, failures, retry_at, error) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (org, consumer) DO UPDATE SET seq = excluded.seq, failures = excluded.failures, retry_at = excluded.retry_at, error = excluded.error`,
		org, consumer, c.seq, c.failures, db.Millis(c.retryAt), c.err)
	return err
}

func selectCursors(ctx context.Context, tx *db.Tx, org entente.OrgID) (map[string]cursor, error) {
	out := map[string]cursor{}
	err := db.Each(ctx, tx, "SELECT consumer, seq, failures, retry_at, error FROM journal_cursor WHERE org = $1", func(s db.Scanner) error {
		var name string
		var c cursor
		var at int64
		if err := s.Scan(&name, &c.seq, &c.failures, &at, &c.err); err != nil {
			return err
		}
		c.retryAt = db.Time(at)
		out[name] = c
		return nil
	}, org)
	return out, err
}

// selectHeads gives the latest number of every organisation of the node.
func selectHeads(ctx context.Context, tx *db.Tx) (map[entente.OrgID]int64, error) {
	heads := map[entente.OrgID]int64{}
	err := db.Each(ctx, tx, "SELECT org, seq FROM journal_head", func(s db.Scanner) error {
		var org entente.OrgID
		var seq int64
		if err := s.Scan(&org, &seq); err != nil {
			return err
		}
		heads[org] = seq
		return nil
	})
	return heads, err
}

// selectRetries gives the organisations with a consumer whose back-off is over.
func selectRetries(ctx context.Context, tx *db.Tx, now time.Time) ([]entente.OrgID, error) {
	return db.All(ctx, tx, db.Value[entente.OrgID],
		"SELECT DISTINCT org FROM journal_cursor WHERE failures > 0 AND retry_at <= $1", db.Millis(now))
}

// selectDue gives the organisations with a job to look at.
func selectDue(ctx context.Context, tx *db.Tx, now time.Time) ([]entente.OrgID, error) {
	return db.All(ctx, tx, db.Value[entente.OrgID],
		"SELECT DISTINCT org FROM journal_job WHERE state IN ('waiting', 'running') AND wake_at <= $1", db.Millis(now))
}

const jobColumns = "SELECT org, id, kind, body, state, attempt, wake_at, created_at, error FROM journal_job"

func scanJob(s db.Scanner) (Job, error) {
	var j Job
	var body string
	var wake, created int64
	err := s.Scan(&j.Org, &j.ID, &j.Kind, &body, &j.State, &j.Attempt, &wake, &created, &j.Error)
	j.Body, j.At, j.Created = json.RawMessage(body), db.Time(wake), db.Time(created)
	return j, err
}

func insertJob(ctx context.Context, tx *db.Tx, j Job) error {
	_, err := tx.Exec(ctx, `INSERT INTO journal_job (org, id, kind, body, state, attempt, wake_at, created_at, error)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		j.Org, j.ID, j.Kind, string(j.Body), j.State, j.Attempt, db.Millis(j.At), db.Millis(j.Created), j.Error)
	return err
}

// selectJobs gives an organisation's jobs in a state, the one to wake first first.
func selectJobs(ctx context.Context, tx *db.Tx, org entente.OrgID, state JobState, limit int) ([]Job, error) {
	q := db.Select(jobColumns).And("org = $1", org).AndIf(state != "", "state = $1", string(state))
	return db.AllOf(ctx, tx, scanJob, q.Order("wake_at, id").Page(limit, 0))
}

// selectClaimable gives the jobs of the organisation to claim next, those first whose
// lease ran out, and that this program has a handler for; some of them, but more than
// one if there are. Jobs of other programs may stand before them.
func selectClaimable(ctx context.Context, tx *db.Tx, org entente.OrgID, now time.Time, known func(string) bool) ([]Job, error) {
	var found []Job
	for _, state := range []JobState{JobRunning, JobWaiting} {
		// A state at a time, so that the index gives the order.
		page, err := db.All(ctx, tx, scanJob, jobColumns+" WHERE org = $1 AND state = $2 AND wake_at <= $3 ORDER BY wake_at, id LIMIT 4",
			org, string(state), db.Millis(now))
		for offset := 0; err == nil && len(page) > 0; {
			for _, j := range page {
				if known(j.Kind) {
					found = append(found, j)
				}
			}
			if offset += len(page); len(found) > 1 || offset < 4 {
				break
			}
			page, err = db.All(ctx, tx, scanJob, jobColumns+" WHERE org = $1 AND state = $2 AND wake_at <= $3 ORDER BY wake_at, id LIMIT 200 OFFSET $4",
				org, string(state), db.Millis(now), offset)
		}
		if err != nil || len(found) > 1 {
			return found, err
		}
	}
	return found, nil
}

// selectAlike gives waiting jobs of one kind that are due.
func selectAlike(ctx context.Context, tx *db.Tx, org entente.OrgID, kind string, now time.Time, most int) ([]Job, error) {
	return db.All(ctx, tx, scanJob, jobColumns+" WHERE org = $1 AND state = $2 AND wake_at <= $3 AND kind = $4 ORDER BY wake_at, id LIMIT $5",
		org, string(JobWaiting), db.Millis(now), kind, most)
}

// updateJob moves a job on, if it is still in the attempt that the caller holds.
func updateJob(ctx context.Context, tx *db.Tx, j Job, state JobState, attempt int, wake time.Time, reason string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE journal_job SET state = $1, attempt = $2, wake_at = $3, error = $4
		WHERE org = $5 AND id = $6 AND attempt = $7 AND state = $8`,
		string(state), attempt, db.Millis(wake), reason, j.Org, j.ID, j.Attempt, string(j.State))
	return n == 1, err
}

func deleteDone(ctx context.Context, tx *db.Tx, org entente.OrgID, before time.Time) error {
	_, err := tx.Exec(ctx, "DELETE FROM journal_job WHERE org = $1 AND state = 'done' AND wake_at < $2", org, db.Millis(before))
	return err
}

func selectJob(ctx context.Context, tx *db.Tx, org entente.OrgID, id int64) (Job, error) {
	return db.One(ctx, tx, scanJob, jobColumns+" WHERE org = $1 AND id = $2", org, id)
}
