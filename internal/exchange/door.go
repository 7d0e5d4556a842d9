package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// Door is the node's door for other nodes: docs/protocol.md describes it.
func (s *Service) Door() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pathParty+"{party}", s.door(func(w http.ResponseWriter, r *http.Request, _ []byte) (any, error) {
		return s.KeyDocument(r.Context(), entente.PartyID(r.PathValue("party")))
	}))
	mux.HandleFunc("POST "+pathLook, s.door(func(_ http.ResponseWriter, r *http.Request, body []byte) (any, error) {
		var b lookBody
		if err := decode(body, &b); err != nil {
			return nil, err
		}
		return s.Offered(r.Context(), b.Party, b.Secret)
	}))
	mux.HandleFunc("POST "+pathJoin, s.door(func(_ http.ResponseWriter, r *http.Request, body []byte) (any, error) {
		var b joinBody
		if err := decode(body, &b); err != nil {
			return nil, err
		}
		return s.Joined(r.Context(), b.Party, b.Joining)
	}))
	mux.HandleFunc("POST "+pathPush, s.door(func(_ http.ResponseWriter, r *http.Request, body []byte) (any, error) {
		var b pushBody
		if err := decode(body, &b); err != nil {
			return nil, err
		}
		if len(b.Entries) > batchEntries {
			return nil, entente.TooLarge("more than %d entries in one request", batchEntries)
		}
		org, once, err := s.signed(r, body, b.From, b.To)
		if err != nil {
			return nil, err
		}
		answer, _, err := s.takeBatch(r.Context(), org, b.From, b.Entries, once)
		return answer, err
	}))
	mux.HandleFunc("POST "+pathPull, s.door(func(_ http.ResponseWriter, r *http.Request, body []byte) (any, error) {
		var b pullBody
		if err := decode(body, &b); err != nil {
			return nil, err
		}
		if err := s.signedOnce(r, body, b.To, b.From); err != nil {
			return nil, err
		}
		return s.Give(r.Context(), b.From, b.To, b.Pull)
	}))
	mux.HandleFunc("POST "+pathBack, s.door(func(_ http.ResponseWriter, r *http.Request, body []byte) (any, error) {
		var b backBody
		if err := decode(body, &b); err != nil {
			return nil, err
		}
		if err := s.signedOnce(r, body, b.From, b.To); err != nil {
			return nil, err
		}
		return s.GiveBack(r.Context(), b.From, b.To, b.After)
	}))
	mux.HandleFunc("GET "+pathBlob+"{from}/{to}/{hash}/{offset}", s.door(func(w http.ResponseWriter, r *http.Request, body []byte) (any, error) {
		from, to := entente.PartyID(r.PathValue("from")), entente.PartyID(r.PathValue("to"))
		var hash entente.Hash
		offset, err := strconv.ParseInt(r.PathValue("offset"), 10, 64)
		if err != nil || hash.UnmarshalText([]byte(r.PathValue("hash"))) != nil {
			return nil, entente.Invalid("the address of the file cannot be read")
		}
		if err := s.signedOnce(r, body, to, from); err != nil {
			return nil, err
		}
		content, n, _, err := s.GiveBlob(r.Context(), from, to, hash, offset)
		if err != nil {
			return nil, err
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
		_, _ = io.Copy(w, content) // a transfer that breaks off goes on from where it was
		return nil, nil
	}))
	return mux
}

// doorTime is how long a request to the door may take.
const doorTime = 25 * time.Second

func (s *Service) door(do func(http.ResponseWriter, *http.Request, []byte) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), doorTime)
		defer cancel()
		w.Header().Set("Cache-Control", "no-store")
		// The time by this node's clock: who asks with another one dates its requests by it.
		w.Header().Set("Date", s.c.Now().UTC().Format(http.TimeFormat))
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			s.refuse(w, entente.TooLarge("the request is larger than %d bytes, or broke off", maxBody))
			return
		}
		answer, err := do(w, r.WithContext(ctx), body)
		if err != nil {
			s.refuse(w, err)
			return
		}
		if answer == nil {
			return // it has been written
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer)
	}
}

func decode(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return entente.Invalid("the request cannot be read: %s", err.Error())
	}
	return nil
}

// signedOnce checks that a partner of ours signed the request, and takes each once.
func (s *Service) signedOnce(r *http.Request, body []byte, partner, ours entente.PartyID) error {
	org, once, err := s.signed(r, body, partner, ours)
	if err != nil {
		return err
	}
	return s.db.Write(r.Context(), org, once)
}

// signed checks that a partner of ours signed the request, and says to whom of this
// node it is. Before anything is done, once must have run: it refuses a request that
// was made before.
func (s *Service) signed(r *http.Request, body []byte, partner, ours entente.PartyID) (org entente.OrgID, once func(*db.Tx) error, err error) {
	g, err := readSignature(r.Header)
	if err != nil {
		return "", nil, err
	}
	org, err = s.local(r.Context(), ours)
	if err != nil {
		return "", nil, err
	}
	if org == "" {
		return "", nil, unsigned("no partner of this node signed the request")
	}
	var p Partner
	err = s.db.Read(r.Context(), func(tx *db.Tx) error {
		p, err = readPartner(r.Context(), tx, org, partner)
		return err
	})
	if entente.KindOf(err) == entente.KindNotFound {
		return "", nil, unsigned("no partner of this node signed the request")
	}
	if err != nil {
		return "", nil, err
	}
	_, ring, err := s.ring(p.document)
	if err != nil {
		return "", nil, err
	}
	if _, known := ring.Find(g.key); !known {
		// It may have a new key, and the entry that says so be still under way.
		fresh, err := s.newKeys(r.Context(), org, p)
		if err != nil {
			return "", nil, unsigned("the key that signed the request is not one of the party's")
		}
		ring = fresh
	}
	if err := g.verify(r.Method, s.host(), r.URL.EscapedPath(), r.Header, body, ring, s.now()); err != nil {
		return "", nil, err
	}
	return org, func(tx *db.Tx) error {
		err := insertNonce(r.Context(), tx, org, string(partner)+" "+g.nonce, s.now(), s.now().Add(-2*clockSkew))
		if db.IsDuplicate(err) {
			return unsigned("the request was made before")
		}
		return err
	}, nil
}

// askAgain is how long a partner's node is not asked for its keys again: whoever names
// a key that nobody knows must not be able to make us send requests at will. What the
// first such request brings serves those after it.
const askAgain = time.Minute

// mayAsk says whether a partner's node may be asked for its keys now, and counts it as
// asked.
func (s *Service) mayAsk(org entente.OrgID, party entente.PartyID) bool {
	now, who := s.now(), string(org)+" "+string(party)
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, known := s.asked[who]; known && now.Sub(last) < askAgain && !now.Before(last) {
		return false
	}
	if len(s.asked) >= maxKnown {
		clear(s.asked)
	}
	s.asked[who] = now
	return true
}

// newKeys asks a partner's node for its key document, once in a while.
func (s *Service) newKeys(ctx context.Context, org entente.OrgID, p Partner) (entente.Keyring, error) {
	if !s.mayAsk(org, p.Party) {
		return p.Ring, nil
	}
	n, err := s.at(ctx, p.Party, p.Address)
	if err != nil {
		return p.Ring, err
	}
	d, err := n.document(ctx, p.Party)
	if err != nil {
		return p.Ring, err
	}
	err = s.db.Write(ctx, org, func(tx *db.Tx) error {
		p, err = s.partner(ctx, tx, org, p.Party)
		if err != nil {
			return err
		}
		_, err = s.rekeyed(ctx, tx, &p, d, false)
		return err
	})
	return p.Ring, err
}

// refuse answers with a problem (RFC 9457). What is our fault is told to our log
// alone.
func (s *Service) refuse(w http.ResponseWriter, err error) {
	p := problem{Title: "The request was not taken", Status: http.StatusInternalServerError, Detail: "the node could not do this; try again later"}
	var e *entente.Error
	var u unsigned
	switch {
	case errors.As(err, &u):
		p.Status, p.Detail = http.StatusUnauthorized, u.Error()
	case errors.As(err, &e):
		p.Detail = e.Message.String()
		p.Status = map[entente.Kind]int{
			entente.KindInvalid: http.StatusUnprocessableEntity, entente.KindNotFound: http.StatusNotFound, entente.KindDenied: http.StatusForbidden,
			entente.KindConflict: http.StatusConflict, entente.KindTooLarge: http.StatusRequestEntityTooLarge, entente.KindUnavailable: http.StatusServiceUnavailable,
		}[e.Kind]
	default:
		s.c.Log.Error("a request of another node failed", "cause", err)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}
