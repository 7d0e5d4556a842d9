package identity

import (
	"context"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/journal"
)

// Token is an API token: it acts as its person in one organisation, with some verbs
// of the role that the person has there at the time.
type Token struct {
	Org     entente.OrgID
	ID      string
	Name    string
	Person  Person
	Verbs   []Verb
	Created time.Time
	Expires time.Time
	Used    time.Time // zero: never
	Revoked time.Time // zero: not
}

// Prefix is the part of the token that may be shown, to tell tokens apart.
func (t Token) Prefix() string { return tokenMark + string(t.Org) + "_" + t.ID + "_…" }

// token adds what is not shown.
type token struct {
	Token
	hash  []byte
	role  entente.Role
	scope []string
}

// tokenMark begins every API token, so that people and scanners know one that leaked.
const tokenMark = "ent_"

const tokenIDLength = 10

// splitSecret reads the form that API tokens and invitations share, in which the
// organisation stands first: <mark><org>_<id>_<secret>.
func splitSecret(mark, s string) (org entente.OrgID, id, secret string, ok bool) {
	if len(s) > 200 {
		return "", "", "", false
	}
	rest, ok := strings.CutPrefix(s, mark)
	if !ok {
		return "", "", "", false
	}
	name, rest, _ := strings.Cut(rest, "_")
	id, secret, _ = strings.Cut(rest, "_")
	if entente.ValidSlug(name) != nil || entente.ValidSlug(id) != nil || len(id) != tokenIDLength || len(secret) != len(newSecretShape) {
		return "", "", "", false
	}
	return entente.OrgID(name), id, secret, true
}

// NewToken is what it takes to make an API token.
type NewToken struct {
	Name  string
	Verbs []Verb        // at least one, each among [TokenVerbs] of the maker
	Life  time.Duration // 0 means [TokenLife]
}

// CreateToken makes an API token of the actor's own. The token itself is given this
// once only.
func (s *Service) CreateToken(ctx context.Context, actor entente.Actor, n NewToken) (string, Token, error) {
	if err := Require(actor, TokenManage, In(actor.Org)); err != nil {
		return "", Token{}, err
	}
	name, err := cleanName("token's name", n.Name)
	if err != nil {
		return "", Token{}, err
	}
	may := TokenVerbs(actor)
	if len(n.Verbs) == 0 {
		return "", Token{}, entente.Invalid("the token could do nothing; choose at least one of %s", listVerbs(may))
	}
	for _, v := range n.Verbs {
		if !slices.Contains(may, v) {
			return "", Token{}, entente.Invalid("a token of yours cannot be made for %q; choose among %s", v, listVerbs(may))
		}
	}
	life := n.Life
	if life == 0 {
		life = TokenLife
	}
	if life < time.Minute || life > maxTokenLife {
		return "", Token{}, entente.Invalid("a token lives between a minute and %d days; choose an expiry within", int(maxTokenLife/(24*time.Hour)))
	}
	verbs := slices.Clone(n.Verbs)
	slices.Sort(verbs)
	verbs = slices.Compact(verbs)
	secret, now := newSecret(), s.now()
	t := token{
		Token: Token{
			Org: actor.Org, ID: newID()[:tokenIDLength], Name: name, Person: Person{ID: actor.Person, Name: actor.Name},
			Verbs: verbs, Created: now, Expires: now.Add(life),
		},
		hash: hashed(secret),
	}
	err = s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		if _, err := mustMember(ctx, tx, actor.Org, actor.Person); err != nil {
			return err
		}
		mine, err := tokensOf(ctx, tx, actor.Org, actor.Person)
		if err != nil {
			return err
		}
		mine = slices.DeleteFunc(mine, func(t token) bool { return !now.Before(t.Expires) })
		if len(mine) >= maxTokens {
			return entente.TooLarge("you have %d tokens in this organisation; revoke one that is not used", len(mine))
		}
		if err := insertToken(ctx, tx, t); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, EventTokenMade, t.ID, map[string]any{
			"name": name, "verbs": verbs, "expires": t.Expires.Format(time.RFC3339),
		})
	})
	if err != nil {
		return "", Token{}, err
	}
	return fmt.Sprintf("%s%s_%s_%s", tokenMark, t.Org, t.ID, secret), t.Token, nil
}

func listVerbs(verbs []Verb) string {
	names := make([]string, len(verbs))
	for i, v := range verbs {
		names[i] = string(v)
	}
	return strings.Join(names, ", ")
}

// Tokens lists the actor's own API tokens in the organisation, also expired ones, the
// latest first.
func (s *Service) Tokens(ctx context.Context, actor entente.Actor) ([]Token, error) {
	if err := Require(actor, TokenManage, In(actor.Org)); err != nil {
		return nil, err
	}
	if actor.Person == "" {
		return nil, nil
	}
	return s.tokens(ctx, actor.Org, actor.Person)
}

// AllTokens lists the API tokens of every member.
func (s *Service) AllTokens(ctx context.Context, actor entente.Actor) ([]Token, error) {
	if err := Require(actor, TokenOversee, In(actor.Org)); err != nil {
		return nil, err
	}
	return s.tokens(ctx, actor.Org, "")
}

func (s *Service) tokens(ctx context.Context, org entente.OrgID, p entente.PersonID) (list []Token, err error) {
	var all []token
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		all, err = tokensOf(ctx, tx, org, p)
		return err
	})
	for _, t := range all {
		list = append(list, t.Token)
	}
	return list, err
}

// MaxTokens is how many API tokens are revoked at once.
const MaxTokens = 1000

// RevokeToken ends an API token: one's own, or with [TokenOversee] anybody's.
func (s *Service) RevokeToken(ctx context.Context, actor entente.Actor, id string) error {
	return s.RevokeTokens(ctx, actor, []string{id})
}

// RevokeTokens ends several API tokens, all or none of them: one's own, or with
// [TokenOversee] anybody's.
func (s *Service) RevokeTokens(ctx context.Context, actor entente.Actor, ids []string) error {
	ownErr := Require(actor, TokenManage, In(actor.Org))
	anyErr := Require(actor, TokenOversee, In(actor.Org))
	if ownErr != nil && anyErr != nil {
		return ownErr
	}
	switch {
	case len(ids) == 0:
		return entente.Invalid("no API token was chosen")
	case len(ids) > MaxTokens:
		return entente.TooLarge("these are %d; at most %d are revoked at once", len(ids), MaxTokens)
	}
	err := s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		for _, id := range ids {
			t, err := readToken(ctx, tx, actor.Org, id)
			if err != nil {
				return err
			}
			mine := t != nil && t.Person.ID == actor.Person && ownErr == nil
			if t == nil || !mine && anyErr != nil || !t.Revoked.IsZero() {
				return entente.NotFound("there is no such API token; it may have been revoked already")
			}
			if err := revokeToken(ctx, tx, actor.Org, id, s.now()); err != nil {
				return err
			}
			err = journal.Append(ctx, tx, actor, EventTokenRevoked, id, map[string]any{"name": t.Name, "of": t.Person.Name})
			if err != nil {
				return err
			}
		}
		return nil
	})
	s.forget()
	return err
}

// AuthenticateToken makes the holder of an API token an actor. Like
// [Service.Session] it costs one small read at most.
func (s *Service) AuthenticateToken(ctx context.Context, text string) (entente.Actor, error) {
	org, id, secret, ok := splitSecret(tokenMark, text)
	if !ok {
		return entente.Actor{}, errToken()
	}
	now := s.now()
	key := string(org) + " " + id
	t, ok := s.knownTokens.get(key, now)
	if !ok {
		generation := s.knownTokens.generation()
		var found *token
		err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
			found, err = readToken(ctx, tx, org, id)
			return err
		})
		if err != nil {
			return entente.Actor{}, err
		}
		if found == nil {
			return entente.Actor{}, errToken()
		}
		t = *found
		s.knownTokens.put(key, t, now, generation)
	}
	if subtle.ConstantTimeCompare(hashed(secret), t.hash) != 1 {
		return entente.Actor{}, errToken()
	}
	actor := actorOf(t.Person, Membership{Org: t.Org, Role: t.role, Scope: t.scope}, entente.DoorAPI)
	actor.Name = t.Person.Name + " (token " + t.Name + ")"
	actor.Verbs = []string{}
	switch {
	case !t.Revoked.IsZero():
		s.RecordDenial(ctx, actor, "token.use", Object{Kind: "token", Org: org, ID: id}, "the token was revoked")
		return entente.Actor{}, entente.Denied("this API token was revoked; make a new one")
	case !now.Before(t.Expires):
		s.RecordDenial(ctx, actor, "token.use", Object{Kind: "token", Org: org, ID: id}, "the token has expired")
		return entente.Actor{}, entente.Denied("this API token expired on %s; make a new one", t.Expires.Format("2 January 2006"))
	}
	for _, v := range t.Verbs {
		actor.Verbs = append(actor.Verbs, string(v))
	}
	if now.Sub(s.tokensUsed.last(key, t.Used)) >= touchEvery {
		s.tokensUsed.add(key, now)
	}
	return actor, nil
}

func errToken() error {
	return entente.Denied("this is no API token of this node; check that it was copied whole, from %s to its end", tokenMark)
}
