package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math/rand/v2"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// firstPrev stands for the event before the first.
var firstPrev = make([]byte, sha256.Size)

// hashOf is SHA-256 over the text "entente.journal/1" and a line feed, then the
// fields in this order: prev, org, seq, at, person, actor, role, door, kind,
// subject, body. A number is 8 bytes, most significant first; anything else is
// its length in bytes as such a number, then its bytes. The time is milliseconds
// since 1970 in UTC. Every field has a length, so no two events encode alike.
func hashOf(e Event) []byte {
	h := sha256.New()
	h.Write([]byte("entente.journal/1\n"))
	put(h, e.Prev)
	put(h, e.Org)
	number(h, e.Seq)
	number(h, db.Millis(e.At))
	put(h, e.Person)
	put(h, e.Actor)
	put(h, e.Role)
	put(h, e.Door)
	put(h, e.Kind)
	put(h, e.Subject)
	put(h, e.Body)
	return h.Sum(nil)
}

func put[T ~string | ~[]byte](h hash.Hash, s T) {
	number(h, int64(len(s)))
	h.Write([]byte(s))
}

func number(h hash.Hash, n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}

// follows says why e cannot be the event after number seq with hash prev, or "".
func follows(e Event, seq int64, prev []byte) entente.Message {
	switch {
	case e.Seq != seq+1:
		return entente.Say("it is missing; the next one has number %d", e.Seq)
	case !bytes.Equal(e.Prev, prev):
		return entente.Say("it does not name the hash of the event before")
	case !bytes.Equal(e.Hash, hashOf(e)):
		return entente.Say("its content does not fit its hash")
	}
	return entente.Message{}
}

// Backoff is how long to wait after the n-th failure in a row: twice as long
// each time from a second on, at most ten minutes, and a random quarter more or
// less, so that what failed together does not come back together.
func Backoff(n int) time.Duration {
	const first, most = time.Second, 10 * time.Minute
	wait := most
	if n < 1 {
		n = 1
	}
	if n <= 10 {
		wait = min(first<<(n-1), most)
	}
	return wait*3/4 + rand.N(wait/2)
}
