package notify

import (
	"context"
	"crypto/rand"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/outbound"
)

// HookState says whether a hook is told anything.
type HookState string

// The states of a hook.
const (
	HookOn      HookState = "on"
	HookPaused  HookState = "paused"  // by a person
	HookStopped HookState = "stopped" // by the program; Why says for what reason
)

// Hook is an address that is told what happens in an organisation.
type Hook struct {
	Org     entente.OrgID
	ID      string
	Name    string
	URL     string
	Kinds   []journal.Kind
	State   HookState
	Why     string
	Person  entente.PersonID // whose rights bound what is told
	By      string
	Created time.Time
	// FormerUntil is how long the secret before counts too; zero: it does not.
	FormerUntil time.Time
	// FailingSince is when the failures in a row began; zero: the latest attempt went well.
	FailingSince time.Time
}

// hook adds what is not shown.
type hook struct {
	Hook
	secret, former []byte // sealed
	armed          time.Time
	since          int64 // the latest event before it was registered
}

// Place is the scheme and host of the address, for those who may see no more of it:
// the rest may hold a secret.
func (h Hook) Place() string {
	u, err := url.Parse(h.URL)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// NewHook is what people say of a hook.
type NewHook struct {
	Name  string
	URL   string
	Kinds []journal.Kind
}

// checked gives what was said in the form in which it is kept.
func (n NewHook) checked(actor entente.Actor, allowPrivate bool) (NewHook, error) {
	n.Name = strings.Join(strings.Fields(n.Name), " ")
	switch {
	case n.Name == "":
		return n, entente.Invalid("the webhook's name is missing")
	case utf8.RuneCountInString(n.Name) > 120:
		return n, entente.Invalid("the webhook's name is longer than 120 characters")
	case !utf8.ValidString(n.Name) || strings.ContainsFunc(n.Name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }):
		return n, entente.Invalid("the webhook's name holds characters that cannot be shown")
	}
	address, err := outbound.Clean(n.URL, "https://hooks.example.com/entente", allowPrivate)
	if err != nil {
		return n, err
	}
	n.URL = address
	n.Kinds = slices.Clone(n.Kinds)
	slices.Sort(n.Kinds)
	n.Kinds = slices.Compact(n.Kinds)
	if len(n.Kinds) == 0 {
		return n, entente.Invalid("the webhook would be told nothing; choose at least one kind of events")
	}
	may := KindsFor(actor)
	for _, k := range n.Kinds {
		if !slices.ContainsFunc(may, func(e EventKind) bool { return e.Kind == k }) {
			return n, entente.Invalid("a webhook of yours cannot be told of %.60q; choose among the kinds of events that you may see", k)
		}
	}
	return n, nil
}

// context binds a sealed secret to its hook.
func sealContext(org entente.OrgID, id string) string { return "webhook " + string(org) + " " + id }

// CreateHook registers a hook. Its secret is given this once only.
func (s *Service) CreateHook(ctx context.Context, actor entente.Actor, n NewHook) (secret string, made Hook, err error) {
	if err := identity.Require(actor, identity.WebhookManage, identity.In(actor.Org)); err != nil {
		return "", Hook{}, err
	}
	n, err = n.checked(actor, s.c.AllowPrivate)
	if err != nil {
		return "", Hook{}, err
	}
	h := hook{Hook: Hook{
		Org: actor.Org, ID: strings.ToLower(rand.Text())[:10], Name: n.Name, URL: n.URL, Kinds: n.Kinds, State: HookOn,
		Person: actor.Person, By: actor.Name, Created: s.now(),
	}}
	secret = newSecret()
	h.secret, err = s.c.Key.Seal([]byte(secret), sealContext(h.Org, h.ID))
	if err != nil {
		return "", Hook{}, entente.Unavailable("this node has no key to keep a webhook's secret with; give it a folder for its data")
	}
	err = s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		there, err := countHooks(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		if there >= maxHooks {
			return entente.TooLarge("there are %d webhooks; remove one that is not used", there)
		}
		h.since, err = journal.Head(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		if err := insertHook(ctx, tx, h); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, EventMade, h.ID, h.told())
	})
	if err != nil {
		return "", Hook{}, err
	}
	return secret, h.Hook, nil
}

// told is what the journal holds of a hook.
func (h Hook) told() map[string]any {
	return map[string]any{"name": h.Name, "place": h.Place(), "kinds": h.Kinds, "state": h.State}
}

// Hooks lists the hooks of the actor's organisation by their names. Who may not
// manage them sees only the hosts of their addresses.
func (s *Service) Hooks(ctx context.Context, actor entente.Actor) ([]Hook, error) {
	if err := identity.Require(actor, identity.WebhookRead, identity.In(actor.Org)); err != nil {
		return nil, err
	}
	var found []hook
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = hooksOf(ctx, tx, actor.Org)
		return err
	})
	if err != nil {
		return nil, err
	}
	all := make([]Hook, len(found))
	for i, h := range found {
		all[i] = s.shown(actor, h)
	}
	return all, nil
}

// Hook gives one of them.
func (s *Service) Hook(ctx context.Context, actor entente.Actor, id string) (Hook, error) {
	if err := identity.Require(actor, identity.WebhookRead, identity.In(actor.Org)); err != nil {
		return Hook{}, err
	}
	var h hook
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		h, err = mustHook(ctx, tx, actor.Org, id)
		return err
	})
	if err != nil {
		return Hook{}, err
	}
	return s.shown(actor, h), nil
}

func (s *Service) shown(actor entente.Actor, h hook) Hook {
	shown := h.Hook
	if ok, _ := identity.Can(actor, identity.WebhookManage, identity.In(actor.Org)); !ok {
		shown.URL = shown.Place()
	}
	if !shown.FormerUntil.After(s.now()) {
		shown.FormerUntil = time.Time{}
	}
	return shown
}

// change does something to a hook and tells the journal.
func (s *Service) change(ctx context.Context, actor entente.Actor, id string, kind journal.Kind, fn func(*db.Tx, *hook) error) (Hook, error) {
	if err := identity.Require(actor, identity.WebhookManage, identity.In(actor.Org)); err != nil {
		return Hook{}, err
	}
	var h hook
	err := s.db.Write(ctx, actor.Org, func(tx *db.Tx) (err error) {
		h, err = mustHook(ctx, tx, actor.Org, id)
		if err != nil {
			return err
		}
		if err := fn(tx, &h); err != nil {
			return err
		}
		if err := updateHook(ctx, tx, h); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, kind, h.ID, h.told())
	})
	if err != nil {
		return Hook{}, err
	}
	return s.shown(actor, h), nil
}

// ChangeHook changes what people say of a hook. From then on the rights of who
// changed it bound what it is told.
func (s *Service) ChangeHook(ctx context.Context, actor entente.Actor, id string, n NewHook) (Hook, error) {
	if err := identity.Require(actor, identity.WebhookManage, identity.In(actor.Org)); err != nil {
		return Hook{}, err
	}
	n, err := n.checked(actor, s.c.AllowPrivate)
	if err != nil {
		return Hook{}, err
	}
	return s.change(ctx, actor, id, EventChanged, func(_ *db.Tx, h *hook) error {
		h.Name, h.URL, h.Kinds, h.Person, h.By = n.Name, n.URL, n.Kinds, actor.Person, actor.Name
		return nil
	})
}

// PauseHook makes a hook wait, or go on after it was paused or stopped. What happens
// meanwhile is not told; what was waiting is.
func (s *Service) PauseHook(ctx context.Context, actor entente.Actor, id string, paused bool) (Hook, error) {
	return s.change(ctx, actor, id, EventChanged, func(tx *db.Tx, h *hook) error {
		h.Why, h.FailingSince = "", time.Time{}
		if paused {
			h.State = HookPaused
			return nil
		}
		h.State = HookOn
		return s.arm(ctx, tx, h, 0)
	})
}

// RotateSecret gives a hook a new secret, which is given this once only. For a day
// messages are signed with the secret before as well.
func (s *Service) RotateSecret(ctx context.Context, actor entente.Actor, id string) (secret string, h Hook, err error) {
	secret = newSecret()
	h, err = s.change(ctx, actor, id, EventChanged, func(_ *db.Tx, h *hook) error {
		sealed, err := s.c.Key.Seal([]byte(secret), sealContext(h.Org, h.ID))
		if err != nil {
			return err
		}
		h.former, h.FormerUntil = h.secret, s.now().Add(bothSecrets)
		h.secret = sealed
		return nil
	})
	if err != nil {
		return "", Hook{}, err
	}
	return secret, h, nil
}

// TestHook sends a message to a hook, by the same road as every other.
func (s *Service) TestHook(ctx context.Context, actor entente.Actor, id string) error {
	_, err := s.change(ctx, actor, id, EventTested, func(_ *db.Tx, h *hook) error {
		if h.State != HookOn {
			return entente.Conflict("the webhook is %s; let it go on first", h.State)
		}
		return nil
	})
	return err
}

// RemoveHook forgets a hook and what was delivered to it.
func (s *Service) RemoveHook(ctx context.Context, actor entente.Actor, id string) error {
	if err := identity.Require(actor, identity.WebhookManage, identity.In(actor.Org)); err != nil {
		return err
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		h, err := mustHook(ctx, tx, actor.Org, id)
		if err != nil {
			return err
		}
		if err := deleteHook(ctx, tx, actor.Org, id); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, EventRemoved, id, h.told())
	})
}
