package exchange

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/outbound"
)

// node is where a party lives: this node, or another one over HTTP.
type node interface {
	look(ctx context.Context, party entente.PartyID, secret string) (Offer, error)
	join(ctx context.Context, party entente.PartyID, j Joining) (entente.Envelope, error)
	push(ctx context.Context, from, to entente.PartyID, batch []entente.Envelope) (PushAnswer, error)
	pull(ctx context.Context, from, to entente.PartyID, p Pull) (Pulled, error)
	back(ctx context.Context, from, to entente.PartyID, after uint64) (GivenBack, error)
	document(ctx context.Context, party entente.PartyID) (entente.KeyDocument, error)
	blob(ctx context.Context, from, to entente.PartyID, hash entente.Hash, offset int64) (io.ReadCloser, error)
}

// at finds where a party lives.
func (s *Service) at(ctx context.Context, party entente.PartyID, address string) (node, error) {
	org, err := s.local(ctx, party)
	if err != nil {
		return nil, err
	}
	if org != "" {
		return here{s}, nil
	}
	if address == "" {
		return nil, errors.New("the partner's node has no address: exchange by file")
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, entente.Invalid("the address of the partner's node is not a URL")
	}
	if u.Scheme != "https" && !s.c.AllowPrivate {
		return nil, entente.Invalid("the address of the partner's node must begin with https://")
	}
	return &there{s: s, base: u}, nil
}

// atPartner finds where a partner lives, to talk with it under our signature.
func (s *Service) atPartner(ctx context.Context, p Partner, self Self, signer entente.Signer) (node, error) {
	n, err := s.at(ctx, p.Party, p.Address)
	if t, ok := n.(*there); ok {
		t.self, t.signer = self.Party(), signer
	}
	return n, err
}

// here is this node: what one of its organisations says to another goes the same way
// as what leaves, through the same checks.
type here struct{ s *Service }

func (h here) look(ctx context.Context, party entente.PartyID, secret string) (Offer, error) {
	return h.s.Offered(ctx, party, secret)
}

func (h here) join(ctx context.Context, party entente.PartyID, j Joining) (entente.Envelope, error) {
	return h.s.Joined(ctx, party, j)
}

func (h here) push(ctx context.Context, from, to entente.PartyID, batch []entente.Envelope) (PushAnswer, error) {
	return h.s.Take(ctx, from, to, batch)
}

func (h here) pull(ctx context.Context, from, to entente.PartyID, p Pull) (Pulled, error) {
	return h.s.Give(ctx, from, to, p)
}

func (h here) back(ctx context.Context, from, to entente.PartyID, after uint64) (GivenBack, error) {
	return h.s.GiveBack(ctx, from, to, after)
}

func (h here) document(ctx context.Context, party entente.PartyID) (entente.KeyDocument, error) {
	return h.s.KeyDocument(ctx, party)
}

func (h here) blob(ctx context.Context, from, to entente.PartyID, hash entente.Hash, offset int64) (io.ReadCloser, error) {
	r, _, _, err := h.s.GiveBlob(ctx, from, to, hash, offset)
	return io.NopCloser(r), err
}

// there is another node.
type there struct {
	s      *Service
	base   *url.URL
	self   entente.PartyID // who signs the requests; empty: nobody
	signer entente.Signer
}

// The addresses of the protocol, below that of the node.
const (
	pathParty = "/exchange/v1/parties/" // + party: its key document
	pathLook  = "/exchange/v1/look"
	pathJoin  = "/exchange/v1/join"
	pathPush  = "/exchange/v1/push"
	pathPull  = "/exchange/v1/pull"
	pathBack  = "/exchange/v1/back"
	pathBlob  = "/exchange/v1/blobs/" // + sender + "/" + receiver + "/" + hash + "/" + offset
)

// The bodies of requests.
type (
	lookBody struct {
		Party  entente.PartyID `json:"party"`
		Secret string          `json:"secret"`
	}
	joinBody struct {
		Party entente.PartyID `json:"party"`
		Joining
	}
	pushBody struct {
		From    entente.PartyID    `json:"from"`
		To      entente.PartyID    `json:"to"`
		Entries []entente.Envelope `json:"entries"`
	}
	pullBody struct {
		From entente.PartyID `json:"from"`
		To   entente.PartyID `json:"to"`
		Pull
	}
	backBody struct {
		From  entente.PartyID `json:"from"`
		To    entente.PartyID `json:"to"`
		After uint64          `json:"after"`
	}
)

// maxBody is the largest body of a request or an answer.
const maxBody = 16 << 20

func (t *there) look(ctx context.Context, party entente.PartyID, secret string) (o Offer, err error) {
	err = t.ask(ctx, pathLook, lookBody{party, secret}, &o)
	return o, err
}

func (t *there) join(ctx context.Context, party entente.PartyID, j Joining) (e entente.Envelope, err error) {
	err = t.ask(ctx, pathJoin, joinBody{party, j}, &e)
	return e, err
}

func (t *there) push(ctx context.Context, from, to entente.PartyID, batch []entente.Envelope) (a PushAnswer, err error) {
	err = t.ask(ctx, pathPush, pushBody{from, to, batch}, &a)
	return a, err
}

func (t *there) pull(ctx context.Context, from, to entente.PartyID, p Pull) (a Pulled, err error) {
	err = t.ask(ctx, pathPull, pullBody{from, to, p}, &a)
	return a, err
}

func (t *there) back(ctx context.Context, from, to entente.PartyID, after uint64) (a GivenBack, err error) {
	err = t.ask(ctx, pathBack, backBody{from, to, after}, &a)
	return a, err
}

func (t *there) document(ctx context.Context, party entente.PartyID) (d entente.KeyDocument, err error) {
	err = t.do(ctx, http.MethodGet, pathParty+string(party), nil, &d)
	return d, err
}

func (t *there) blob(ctx context.Context, from, to entente.PartyID, hash entente.Hash, offset int64) (io.ReadCloser, error) {
	answer, err := t.send(ctx, http.MethodGet, fmt.Sprintf("%s%s/%s/%s/%d", pathBlob, from, to, hash, offset), nil)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(answer.Body, blobRound), answer.Body}, nil
}

func (t *there) ask(ctx context.Context, path string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return t.do(ctx, http.MethodPost, path, text, into)
}

// do makes one request and reads its answer.
func (t *there) do(ctx context.Context, method, path string, body []byte, into any) error {
	answer, err := t.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxBody+1))
	err = errors.Join(err, answer.Body.Close())
	switch {
	case err != nil:
		return unreachable{errors.New(outbound.Why(err, requestTime).String())}
	case len(text) > maxBody:
		return entente.TooLarge("the answer is larger than %d bytes", maxBody)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("the answer of the node cannot be read: %w", err)
	}
	return nil
}

// send makes one request and gives its answer, if it is a success. A node whose clock
// is far from ours says what time it has, and is asked again by that.
func (t *there) send(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	for again := false; ; again = true {
		r, err := http.NewRequestWithContext(ctx, method, t.base.JoinPath(path).String(), bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		r.Header.Set("User-Agent", "Entente-Exchange/1")
		r.Header.Set("Accept", "application/json")
		if body != nil {
			r.Header.Set("Content-Type", "application/json")
		}
		if t.signer != nil {
			if err := signRequest(r, body, t.signer, t.s.now().Add(t.s.clockOf(t.base.Host))); err != nil {
				return nil, err
			}
		}
		answer, err := t.s.client.Do(r)
		if err != nil {
			return nil, unreachable{errors.New(outbound.Why(err, requestTime).String())}
		}
		if answer.StatusCode == http.StatusOK {
			return answer, nil
		}
		text, err := io.ReadAll(io.LimitReader(answer.Body, maxRefusal))
		err = errors.Join(err, answer.Body.Close())
		switch {
		case err != nil:
			return nil, unreachable{errors.New(outbound.Why(err, requestTime).String())}
		case answer.StatusCode == http.StatusUnauthorized && !again && t.signer != nil && t.s.setClock(t.base.Host, answer.Header.Get("Date")):
			continue
		}
		return nil, refusal(answer.StatusCode, text)
	}
}

// maxRefusal is how much is read of an answer that is no success.
const maxRefusal = 64 << 10

// unreachable says that no answer came.
type unreachable struct{ error }

// toPerson says in words for a person that a node could not be reached.
func toPerson(err error) error {
	var gone unreachable
	if errors.As(err, &gone) {
		return entente.Unavailable("the other node could not be reached: %s", gone.Error())
	}
	return err
}

// why writes down why an attempt failed.
func (s *Service) why(err error) string {
	text := err.Error()
	if len(text) > 500 {
		text = text[:500]
	}
	return text
}

// refusal is the answer of a node that did not do what was asked.
func refusal(status int, body []byte) error {
	var p problem
	_ = json.Unmarshal(body, &p)
	if p.Detail == "" {
		p.Detail = fmt.Sprintf("the node answered %d", status)
	}
	if len(p.Detail) > 500 {
		p.Detail = p.Detail[:500]
	}
	switch status {
	case http.StatusNotFound:
		return entente.NotFound("%s", p.Detail)
	case http.StatusConflict:
		return entente.Conflict("%s", p.Detail)
	case http.StatusRequestEntityTooLarge:
		return entente.TooLarge("%s", p.Detail)
	case http.StatusForbidden, http.StatusUnauthorized:
		return entente.Denied("%s", p.Detail)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return entente.Unavailable("%s", p.Detail)
	}
	return entente.Invalid("%s", p.Detail)
}

// problem is how refusals are told (RFC 9457).
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// clockOf is by how much the clock of a host is ahead of ours, as far as we know.
func (s *Service) clockOf(host string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clocks[host]
}

// setClock learns the time of a host from its answer, and says whether that changes
// how requests to it are dated.
func (s *Service) setClock(host, date string) bool {
	at, err := http.ParseTime(date)
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ahead := at.Sub(s.c.Now()).Truncate(time.Second)
	changed := (ahead - s.clocks[host]).Abs() > time.Second
	if len(s.clocks) >= maxKnown {
		clear(s.clocks)
	}
	s.clocks[host] = ahead
	return changed
}

// newID makes an identifier that nobody can guess.
func newID() string {
	raw := make([]byte, 10)
	_, _ = rand.Read(raw)
	return hex.EncodeToString(raw)
}

// Pull is what the receiver of a feed asks its sender for.
type Pull struct {
	// After is the number of the last entry that it has.
	After uint64 `json:"after"`
	// Receipt proves it; nil before the first.
	Receipt *entente.Envelope `json:"receipt,omitempty"`
}

// Pulled is the answer: what follows, oldest first, and the number of the latest.
type Pulled struct {
	Entries []entente.Envelope `json:"entries,omitempty"`
	Head    uint64             `json:"head"`
}

// Give gives the receiver of a feed what it does not have: the sender's side of a
// fetch. from is the sender, to the receiver, who asks.
func (s *Service) Give(ctx context.Context, from, to entente.PartyID, pull Pull) (answer Pulled, err error) {
	org, err := s.local(ctx, from)
	if err != nil {
		return answer, err
	}
	if org == "" {
		return answer, entente.NotFound("this node does not host %s", from)
	}
	if pull.Receipt != nil {
		known, err := s.holds(ctx, org, to, *pull.Receipt)
		if err != nil {
			return answer, err
		}
		if known {
			s.met(org, to) // it stands where we think
		} else {
			err := s.db.Write(ctx, org, func(tx *db.Tx) error {
				p, err := s.partner(ctx, tx, org, to)
				if err != nil {
					return err
				}
				return s.acknowledge(ctx, tx, &p, *pull.Receipt)
			})
			if err != nil && entente.KindOf(err) == entente.KindInvalid {
				return answer, err
			}
		}
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		f, err := readFeed(ctx, tx, org, to, Out)
		if err != nil {
			return err
		}
		answer = Pulled{Head: f.Number}
		if pull.After >= f.Number || !f.Quarantine.Blank() {
			return nil
		}
		answer.Entries, err = envelopesAfter(ctx, tx, org, to, Out, pull.After)
		return err
	})
	return answer, err
}

// holds says whether a receipt says nothing new.
func (s *Service) holds(ctx context.Context, org entente.OrgID, party entente.PartyID, receipt entente.Envelope) (known bool, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		f, err := readFeed(ctx, tx, org, party, Out)
		if err != nil {
			return err
		}
		known = f.Receipt != nil && bytes.Equal(f.Receipt.Payload, receipt.Payload)
		return nil
	})
	return known, err
}
