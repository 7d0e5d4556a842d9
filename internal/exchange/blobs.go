package exchange

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// Blobs lie in the database in parts, so that a transfer that broke off goes on where
// it was, and none is ever whole in memory.
const (
	blobPart = 1 << 20
	// blobRound is how much is asked for in one request.
	blobRound = 8 << 20
	// maxHeld is how much one organisation takes of one partner in all.
	maxHeld = 4 << 30
)

// PutBlob keeps content that is too large for an entry, and gives how an entry names
// it. The same content is kept once.
func (s *Service) PutBlob(ctx context.Context, actor entente.Actor, name, mediaType string, r io.Reader) (b entente.Blob, err error) {
	if err := identity.Require(actor, identity.ExchangeShare, identity.In(actor.Org)); err != nil {
		return b, err
	}
	if len(name) > 500 || len(mediaType) > 200 {
		return b, entente.TooLarge("the name or the type of the file is too long")
	}
	spool, err := os.CreateTemp("", "entente-blob-*")
	if err != nil {
		return b, err
	}
	defer func() { err = errors.Join(err, spool.Close(), os.Remove(spool.Name())) }()
	sum := sha256.New()
	size, err := io.Copy(io.MultiWriter(spool, sum), io.LimitReader(r, entente.MaxBlob+1))
	if err != nil {
		return b, err
	}
	switch {
	case size > entente.MaxBlob:
		return b, entente.TooLarge("the file is larger than %d bytes", entente.MaxBlob)
	case size == 0:
		return b, entente.Invalid("the file is empty")
	}
	b = entente.Blob{Name: name, Type: mediaType, Size: size, Hash: entente.Hash(sum.Sum(nil))}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return b, err
	}
	held, err := s.heldOf(ctx, actor.Org, b.Hash)
	if err != nil || held == size {
		return b, err
	}
	if _, err := spool.Seek(held, io.SeekStart); err != nil {
		return b, err
	}
	if err := s.dropUnsent(ctx, actor.Org); err != nil {
		return b, err
	}
	return b, s.keep(ctx, actor.Org, b.Hash, size, held, spool)
}

// keepUnsent is for how long a file is kept that somebody brought and has not sent.
const keepUnsent = 24 * time.Hour

// dropUnsent deletes files that were brought for a statement which was never made.
func (s *Service) dropUnsent(ctx context.Context, org entente.OrgID) error {
	return s.db.Write(ctx, org, func(tx *db.Tx) error {
		old, err := db.All(ctx, tx, db.Value[[]byte], `SELECT b.hash FROM exchange_blob b WHERE b.org = $1 AND b.at < $2
			AND NOT EXISTS (SELECT 1 FROM exchange_entry_blob u WHERE u.org = b.org AND u.hash = b.hash)`, org, db.Millis(s.now().Add(-keepUnsent)))
		if err != nil {
			return err
		}
		for _, raw := range old {
			if err := dropBlob(ctx, tx, org, entente.Hash(raw)); err != nil {
				return err
			}
		}
		return nil
	})
}

// keep stores what follows of a blob from an offset on, which is a whole number of
// parts, a few parts in each transaction.
func (s *Service) keep(ctx context.Context, org entente.OrgID, hash entente.Hash, size, held int64, r io.Reader) error {
	buffer := make([]byte, 4*blobPart)
	for {
		n, err := io.ReadFull(r, buffer)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			// What came before it broke off is kept, as far as it makes whole parts.
			if whole := n - n%blobPart; whole > 0 {
				err = errors.Join(err, s.keepParts(ctx, org, hash, size, held, buffer[:whole]))
			}
			return err
		}
		if n == 0 {
			return nil
		}
		if held+int64(n) > size {
			return entente.Invalid("the file is longer than was said")
		}
		if err := s.keepParts(ctx, org, hash, size, held, buffer[:n]); err != nil {
			return err
		}
		held += int64(n)
		if n < len(buffer) || held == size {
			return nil
		}
	}
}

func (s *Service) keepParts(ctx context.Context, org entente.OrgID, hash entente.Hash, size, from int64, content []byte) error {
	return s.db.Write(ctx, org, func(tx *db.Tx) error { return writeParts(ctx, tx, org, hash, size, from, content, s.now()) })
}

// writeParts writes a stretch of a blob that begins where a part begins.
func writeParts(ctx context.Context, tx *db.Tx, org entente.OrgID, hash entente.Hash, size, from int64, content []byte, at time.Time) error {
	rows := func(yield func([]any) bool) {
		part := from / blobPart
		for chunk := range slices.Chunk(content, blobPart) {
			if !yield([]any{org, hash[:], part, chunk}) {
				return
			}
			part++
		}
	}
	if _, err := tx.Insert(ctx, "INSERT INTO exchange_blob_part (org, hash, part, bytes) VALUES", "ON CONFLICT (org, hash, part) DO UPDATE SET bytes = excluded.bytes", rows); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO exchange_blob (org, hash, size, held, at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (org, hash) DO UPDATE SET held = excluded.held`, org, hash[:], size, from+int64(len(content)), db.Millis(at))
	return err
}

// heldOf is how much of a blob is here, in bytes.
func (s *Service) heldOf(ctx context.Context, org entente.OrgID, hash entente.Hash) (held int64, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		held, _, err = readBlob(ctx, tx, org, hash)
		return err
	})
	return held, err
}

// Blob reads a blob that belongs to an entry which the actor may see, or to a
// statement of ours.
func (s *Service) Blob(ctx context.Context, actor entente.Actor, hash entente.Hash) (io.Reader, int64, error) {
	if err := identity.Require(actor, identity.ExchangeRead, identity.In(actor.Org)); err != nil {
		return nil, 0, err
	}
	var held, size int64
	var users []blobUser
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		held, size, err = readBlob(ctx, tx, actor.Org, hash)
		if err != nil {
			return err
		}
		users, err = blobUsers(ctx, tx, actor.Org, hash)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	if size == 0 || held < size {
		return nil, 0, entente.NotFound("this file is not here, or not yet whole")
	}
	for _, u := range users {
		if u.way == Out {
			return s.blobReader(ctx, actor.Org, hash, 0, size), size, nil
		}
		r, err := s.Entry(ctx, actor, u.party, u.number)
		if err != nil {
			return nil, 0, err
		}
		if r.State == Standing && !r.Hidden {
			return s.blobReader(ctx, actor.Org, hash, 0, size), size, nil
		}
	}
	return nil, 0, entente.NotFound("this file is not here, or not yet whole")
}

// GiveBlob gives the receiver of a feed a part of a blob that an entry in it names:
// at most blobRound bytes from an offset on.
func (s *Service) GiveBlob(ctx context.Context, from, to entente.PartyID, hash entente.Hash, offset int64) (r io.Reader, n, size int64, err error) {
	org, err := s.local(ctx, from)
	if err != nil {
		return nil, 0, 0, err
	}
	none := entente.NotFound("no entry of this feed names such a file")
	if org == "" {
		return nil, 0, 0, none
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		users, err := blobUsers(ctx, tx, org, hash)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(users, func(u blobUser) bool { return u.way == Out && u.party == to }) {
			return none
		}
		var held int64
		held, size, err = readBlob(ctx, tx, org, hash)
		if err == nil && (held < size || offset < 0 || offset > size || offset%blobPart != 0) {
			return none
		}
		return err
	})
	if err != nil {
		return nil, 0, 0, err
	}
	n = min(size-offset, blobRound)
	return s.blobReader(ctx, org, hash, offset, offset+n), n, size, nil
}

// fetchBlob is the body of the job that fetches a blob of a partner.
type fetchBlob struct {
	Party  entente.PartyID `json:"party"`
	Number uint64          `json:"number"`
	Hash   entente.Hash    `json:"hash"`
	Size   int64           `json:"size"`
}

// want sees to it that the blobs of an entry are fetched.
func (s *Service) want(ctx context.Context, tx *db.Tx, party entente.PartyID, e entente.Entry) error {
	if len(e.Blobs) == 0 {
		return nil
	}
	if err := insertBlobUse(ctx, tx, tx.Org(), party, In, e.Number, e.Blobs); err != nil {
		return err
	}
	for _, b := range e.Blobs {
		if b.Size == 0 {
			continue
		}
		if _, err := journal.Schedule(ctx, tx, tx.Org(), jobBlob, s.now(), fetchBlob{party, e.Number, b.Hash, b.Size}); err != nil {
			return err
		}
	}
	return nil
}

// fetchOne fetches a blob, from where it broke off.
func (s *Service) fetchOne(ctx context.Context, job *journal.Job) error {
	var todo fetchBlob
	if err := job.Decode(&todo); err != nil {
		return err
	}
	var p Partner
	var self Self
	var signer entente.Signer
	var held, all int64
	var stands bool
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		p, err = s.partner(ctx, tx, job.Org, todo.Party)
		if err != nil {
			return err
		}
		row, err := readEntry(ctx, tx, job.Org, todo.Party, In, todo.Number)
		if err != nil {
			return err
		}
		stands = row.State == Standing
		held, _, err = readBlob(ctx, tx, job.Org, todo.Hash)
		if err != nil {
			return err
		}
		all, err = heldOfPartner(ctx, tx, job.Org, todo.Party)
		if err != nil {
			return err
		}
		self, signer, err = s.mine(ctx, tx, job.Org)
		return err
	})
	switch {
	case err != nil:
		return err
	case !stands:
		return nil
	case all+todo.Size-held > maxHeld:
		return journal.GiveUp(fmt.Errorf("the files of this partner would be larger than %d bytes in all", int64(maxHeld)))
	}
	at, err := s.atPartner(ctx, p, self, signer)
	if err != nil {
		return err
	}
	for held < todo.Size {
		held -= held % blobPart
		r, err := at.blob(ctx, p.Party, self.Party(), todo.Hash, held)
		if err != nil {
			return err
		}
		err = errors.Join(s.keep(ctx, job.Org, todo.Hash, todo.Size, held, r), r.Close())
		if err != nil {
			return err
		}
		before := held
		held, err = s.heldOf(ctx, job.Org, todo.Hash)
		if err != nil {
			return err
		}
		if held <= before {
			break
		}
	}
	return s.checkBlob(ctx, job, todo, held)
}

// checkBlob makes sure that a blob is what its name says, and tells that it is here.
func (s *Service) checkBlob(ctx context.Context, job *journal.Job, todo fetchBlob, held int64) error {
	if held < todo.Size {
		return errors.New("the partner's node gave less of the file than was said")
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, s.blobReader(ctx, job.Org, todo.Hash, 0, todo.Size)); err != nil {
		return err
	}
	if entente.Hash(sum.Sum(nil)) != todo.Hash {
		err := s.db.Write(ctx, job.Org, func(tx *db.Tx) error { return dropBlob(ctx, tx, job.Org, todo.Hash) })
		return errors.Join(errors.New("the file is not the one that was named"), err)
	}
	return job.Finish(ctx, func(tx *db.Tx) error {
		return journal.Append(ctx, tx, entente.System(job.Org, entente.DoorWorker), EventBlob, entrySubject(todo.Party, todo.Number), map[string]any{"hash": todo.Hash, "size": todo.Size})
	})
}

// blobReader reads a stretch of a blob, part by part.
func (s *Service) blobReader(ctx context.Context, org entente.OrgID, hash entente.Hash, from, to int64) io.Reader {
	return &blobReader{ctx: ctx, s: s, org: org, hash: hash, at: from, to: to}
}

type blobReader struct {
	ctx    context.Context
	s      *Service
	org    entente.OrgID
	hash   entente.Hash
	at, to int64
	part   []byte
}

// Read reads on.
func (r *blobReader) Read(p []byte) (int, error) {
	if r.at >= r.to {
		return 0, io.EOF
	}
	if len(r.part) == 0 {
		err := r.s.db.Read(r.ctx, func(tx *db.Tx) (err error) {
			r.part, err = db.One(r.ctx, tx, db.Value[[]byte], "SELECT bytes FROM exchange_blob_part WHERE org = $1 AND hash = $2 AND part = $3", r.org, r.hash[:], r.at/blobPart)
			return err
		})
		if err != nil {
			return 0, err
		}
		r.part = r.part[min(int64(len(r.part)), r.at%blobPart):]
		if len(r.part) == 0 {
			return 0, io.ErrUnexpectedEOF
		}
	}
	n := copy(p, r.part[:min(int64(len(r.part)), r.to-r.at)])
	r.part, r.at = r.part[n:], r.at+int64(n)
	return n, nil
}

// blobUser is an entry that names a blob.
type blobUser struct {
	party  entente.PartyID
	way    Way
	number uint64
}

func blobUsers(ctx context.Context, tx *db.Tx, org entente.OrgID, hash entente.Hash) ([]blobUser, error) {
	return db.All(ctx, tx, func(row db.Scanner) (u blobUser, err error) {
		err = row.Scan(&u.party, &u.way, &u.number)
		return u, err
	}, "SELECT party, way, number FROM exchange_entry_blob WHERE org = $1 AND hash = $2", org, hash[:])
}

func insertBlobUse(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID, way Way, number uint64, blobs []entente.Blob) error {
	for _, b := range blobs {
		_, err := tx.Exec(ctx, "INSERT INTO exchange_entry_blob (org, party, way, number, hash, size) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
			org, party, way, int64(number), b.Hash[:], b.Size)
		if err != nil {
			return err
		}
	}
	return nil
}

// readBlob gives 0 and 0 where nothing of it is here.
func readBlob(ctx context.Context, tx *db.Tx, org entente.OrgID, hash entente.Hash) (held, size int64, err error) {
	pair, err := db.One(ctx, tx, func(row db.Scanner) (p [2]int64, err error) {
		err = row.Scan(&p[0], &p[1])
		return p, err
	}, "SELECT held, size FROM exchange_blob WHERE org = $1 AND hash = $2", org, hash[:])
	if errors.Is(err, db.ErrNoRow) {
		return 0, 0, nil
	}
	return pair[0], pair[1], err
}

func heldOfPartner(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID) (int64, error) {
	return db.One(ctx, tx, db.Value[int64], `SELECT CAST(coalesce(sum(b.held), 0) AS INTEGER) FROM exchange_blob b
		WHERE b.org = $1 AND b.hash IN (SELECT u.hash FROM exchange_entry_blob u WHERE u.org = $1 AND u.party = $2 AND u.way = 'in')`, org, party)
}

func dropBlob(ctx context.Context, tx *db.Tx, org entente.OrgID, hash entente.Hash) error {
	if _, err := tx.Exec(ctx, "DELETE FROM exchange_blob_part WHERE org = $1 AND hash = $2", org, hash[:]); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "DELETE FROM exchange_blob WHERE org = $1 AND hash = $2", org, hash[:])
	return err
}

// dropBlobsOf deletes the blobs of an entry that no other entry names.
func dropBlobsOf(ctx context.Context, tx *db.Tx, org entente.OrgID, e stored) error {
	hashes, err := db.All(ctx, tx, db.Value[[]byte], "SELECT hash FROM exchange_entry_blob WHERE org = $1 AND party = $2 AND way = $3 AND number = $4", org, e.Party, e.Way, int64(e.Number))
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM exchange_entry_blob WHERE org = $1 AND party = $2 AND way = $3 AND number = $4", org, e.Party, e.Way, int64(e.Number)); err != nil {
		return err
	}
	for _, raw := range hashes {
		hash := entente.Hash(raw)
		left, err := blobUsers(ctx, tx, org, hash)
		if err != nil {
			return err
		}
		if len(left) > 0 {
			continue
		}
		if err := dropBlob(ctx, tx, org, hash); err != nil {
			return err
		}
	}
	return nil
}
