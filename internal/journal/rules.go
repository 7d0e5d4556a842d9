package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
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
	b := make([]byte, 0, 512+len(e.Body))
	b = append(b, "entente.journal/1\n"...)
	b = put(b, e.Prev)
	b = put(b, e.Org)
	b = number(b, e.Seq)
	b = number(b, db.Millis(e.At))
	b = put(b, e.Person)
	b = put(b, e.Actor)
	b = put(b, e.Role)
	b = put(b, e.Door)
	b = put(b, e.Kind)
	b = put(b, e.Subject)
	b = put(b, e.Body)
	sum := sha256.Sum256(b)
	return sum[:]
}

func put[T ~string | ~[]byte](b []byte, s T) []byte {
	return append(number(b, int64(len(s))), s...)
}

func number(b []byte, n int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(n)) }

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
