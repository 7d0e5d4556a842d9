package web

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/draw"
	"github.com/entente-project/entente/internal/web/ui"
)

// Bounds of what is kept ready for pages, over all organisations.
const (
	mostDrawingBytes = 8 << 20
	mostGraphBytes   = 8 << 20
	mostGraphRows    = 60_000

	mostConcentrationRows = 10_000
)

// kept is what was worked out for pages, by all that it depends on. What was not asked
// for the longest goes first when there is too much; the newest always stays. What it
// gives is shared between visits and never changed.
type kept[K comparable, V any] struct {
	most  int
	mu    sync.Mutex
	known map[K]*keptOne[V]
	size  int
	clock int64
}

type keptOne[V any] struct {
	value V
	size  int
	used  int64
}

func newKept[K comparable, V any](most int) *kept[K, V] {
	return &kept[K, V]{most: most, known: map[K]*keptOne[V]{}}
}

// get gives what is kept under key; without it, what making gives, and its size.
func (k *kept[K, V]) get(key K, making func() (V, int, error)) (V, error) {
	k.mu.Lock()
	k.clock++
	if one := k.known[key]; one != nil {
		one.used = k.clock
		k.mu.Unlock()
		return one.value, nil
	}
	k.mu.Unlock()
	value, size, err := making()
	if err != nil {
		return value, err
	}
	k.put(key, value, size)
	return value, nil
}

func (k *kept[K, V]) put(key K, value V, size int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if before := k.known[key]; before != nil {
		k.size -= before.size
	}
	k.clock++
	k.known[key] = &keptOne[V]{value, size, k.clock}
	k.size += size
	for k.size > k.most && len(k.known) > 1 {
		oldest := key
		for other, one := range k.known {
			if one.used < k.known[oldest].used {
				oldest = other
			}
		}
		k.size -= k.known[oldest].size
		delete(k.known, oldest)
	}
}

// svg draws a diagram. The same one is laid out once: it is kept by what it holds.
func (s *server) svg(d draw.Diagram) string {
	text, _ := s.drawings.get(contentOf(d), func() (string, int, error) {
		drawn := d.SVG()
		return drawn, len(drawn), nil
	})
	return text
}

// contentOf tells diagrams apart by everything that is in them.
func contentOf(d draw.Diagram) [sha256.Size]byte {
	var b []byte
	add := func(parts ...string) {
		for _, p := range parts {
			b = binary.AppendUvarint(b, uint64(len(p)))
			b = append(b, p...)
		}
	}
	add(d.Title, d.Desc, strconv.Itoa(len(d.Nodes)), strconv.Itoa(len(d.Edges)))
	for _, n := range d.Nodes {
		add(n.ID, n.Label, n.Note, string(n.Shape), n.Group, n.Href, string(n.Mark))
	}
	for _, e := range d.Edges {
		add(e.From, e.To, e.Label, e.Note, string(e.Mark), strconv.FormatBool(e.Dashed))
	}
	for _, g := range d.Groups {
		add(g.ID, g.Label, string(g.Mark))
	}
	return sha256.Sum256(b)
}

// chainState is what the rows of the graph depend on.
type chainState struct {
	org      entente.OrgID
	revision int64  // of the chain
	tiers    uint64 // of its suppliers, as a hash
}

// graphState is what the graph as data and as a drawing depends on.
type graphState struct {
	chainState
	language string
	scope    string
	process  chain.NodeID
	from     chain.NodeID
}

// graphDrawing is who delivers to whom, drawn.
type graphDrawing struct{ svg, leftOut string }

// packedReply is an answer of JSON, ready to be sent.
type packedReply struct{ plain, packed []byte }

func packReply(body any) (packedReply, int, error) {
	plain, err := json.Marshal(body)
	if err != nil {
		return packedReply{}, 0, err
	}
	small, err := packed(plain)
	return packedReply{plain, small}, len(plain) + len(small), err
}

// replyPacked answers with what is ready, packed for those who take that.
func (v *visit) replyPacked(p packedReply) error {
	h, content := v.w.Header(), p.plain
	h.Set("Content-Type", "application/json")
	h.Add("Vary", "Accept-Encoding")
	if len(content) >= leastToPack && ui.AcceptsGzip(v.r) {
		content = p.packed
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	v.answer = http.StatusOK
	v.w.WriteHeader(http.StatusOK)
	_, _ = v.w.Write(content) // the reader has gone; there is nobody to tell
	return nil
}
