package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/notify"
)

var notifyOperations = []operation{
	{
		id: "list-webhooks", method: http.MethodGet, path: "/webhooks", verb: identity.WebhookRead,
		summary: "List the webhooks", register: answers(listWebhooks),
	},
	{
		id: "create-webhook", method: http.MethodPost, path: "/webhooks", verb: identity.WebhookManage,
		summary: "Register a webhook", about: "The answer holds its secret, this once only. It is told kinds of events that the token may read, and no longer than its owner may.", register: answers(createWebhook),
	},
	{
		id: "get-webhook", method: http.MethodGet, path: "/webhooks/{id}", verb: identity.WebhookRead,
		summary: "One webhook", register: answers(getWebhook),
	},
	{
		id: "change-webhook", method: http.MethodPut, path: "/webhooks/{id}", verb: identity.WebhookManage,
		summary: "Change a webhook", register: answers(changeWebhook),
	},
	{
		id: "remove-webhook", method: http.MethodDelete, path: "/webhooks/{id}", verb: identity.WebhookManage,
		summary: "Remove a webhook", about: "With its log.", register: answers(removeWebhook),
	},
	{
		id: "pause-webhook", method: http.MethodPost, path: "/webhooks/{id}/pause", verb: identity.WebhookManage,
		summary: "Let a webhook pause", about: "What happens meanwhile is not told.", register: answers(pauseWebhook),
	},
	{
		id: "resume-webhook", method: http.MethodPost, path: "/webhooks/{id}/resume", verb: identity.WebhookManage,
		summary: "Let a webhook go on", about: "After it was paused, or stopped by days of failures.", register: answers(resumeWebhook),
	},
	{
		id: "rotate-webhook-secret", method: http.MethodPost, path: "/webhooks/{id}/secret", verb: identity.WebhookManage,
		summary: "Give a webhook a new secret", about: "The answer holds it, this once only. For a day messages are signed with the secret before as well.", register: answers(rotateSecret),
	},
	{
		id: "test-webhook", method: http.MethodPost, path: "/webhooks/{id}/test", verb: identity.WebhookManage,
		summary: "Send a test to a webhook", register: answers(testWebhook),
	},
	{
		id: "replay-webhook", method: http.MethodPost, path: "/webhooks/{id}/replay", verb: identity.WebhookManage,
		summary: "Deliver again what was given up", about: "Each with the webhook-id that it had.", register: answers(replayFailed),
	},
	{
		id: "list-webhook-deliveries", method: http.MethodGet, path: "/webhook-deliveries", verb: identity.WebhookRead,
		summary: "List what webhooks were told", about: "The latest first; of the last 30 days.", register: answers(listDeliveries),
	},
	{
		id: "get-webhook-delivery", method: http.MethodGet, path: "/webhook-deliveries/{id}", verb: identity.WebhookRead,
		summary: "One delivery", register: answers(getDelivery),
	},
	{
		id: "replay-webhook-delivery", method: http.MethodPost, path: "/webhook-deliveries/{id}/replay", verb: identity.WebhookManage,
		summary: "Deliver one message again", about: "With the webhook-id that it had.", register: answers(replayDelivery),
	},
}

// WebhookKind is a kind of events that a webhook can be told.
type WebhookKind string

// Schema lists the kinds.
func (WebhookKind) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, k := range notify.KindsFor(entente.System("any", entente.DoorCommand)) {
		s.Enum = append(s.Enum, string(k.Kind))
	}
	s.PrecomputeMessages()
	return s
}

// NewWebhook is what is said of a webhook.
type NewWebhook struct {
	Name  string        `json:"name" maxLength:"500"`
	URL   string        `json:"url" format:"uri" maxLength:"1000" doc:"An https address that can be reached from outside."`
	Kinds []WebhookKind `json:"kinds" maxItems:"200" nullable:"false" doc:"The kinds of events that it is told."`
}

func (n NewWebhook) hook() notify.NewHook {
	return notify.NewHook{Name: n.Name, URL: n.URL, Kinds: each(n.Kinds, func(k WebhookKind) journal.Kind { return journal.Kind(k) })}
}

// Webhook is an address that is told what happens.
type Webhook struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	URL          string     `json:"url" doc:"Only its host, for who may not manage webhooks."`
	Kinds        []string   `json:"kinds" nullable:"false"`
	State        string     `json:"state" doc:"on, paused (by a person) or stopped (by the program)."`
	Why          string     `json:"why,omitempty" doc:"It was stopped."`
	By           string     `json:"by" doc:"Who set it up; what they may not see is not told."`
	Created      time.Time  `json:"created"`
	FailingSince *time.Time `json:"failing_since,omitempty"`
	FormerUntil  *time.Time `json:"former_secret_until,omitempty" doc:"Until then messages are signed with the secret before as well."`
}

func webhookOf(h notify.Hook) Webhook {
	w := Webhook{ID: h.ID, Name: h.Name, URL: h.URL, Kinds: orEmpty(each(h.Kinds, word[journal.Kind])), State: string(h.State), Why: h.Why, By: h.By, Created: h.Created}
	if !h.FailingSince.IsZero() {
		w.FailingSince = &h.FailingSince
	}
	if !h.FormerUntil.IsZero() {
		w.FormerUntil = &h.FormerUntil
	}
	return w
}

// WebhookSecret is a webhook with its secret.
type WebhookSecret struct {
	Webhook Webhook `json:"webhook"`
	Secret  string  `json:"secret" doc:"What signs the messages, as Standard Webhooks writes it. It is shown this once only."`
}

// ByWebhookID is what operations on one webhook or delivery take.
type ByWebhookID struct {
	ID string `path:"id" maxLength:"64"`
}

func listWebhooks(s *server, ctx context.Context, actor entente.Actor, in *struct{ Paging }) (*listOutput[Webhook], error) {
	all, err := s.Notify.Hooks(ctx, actor)
	if err != nil {
		return nil, err
	}
	return filtered(all, func(*notify.Hook) bool { return true }, in.Paging, webhookOf, "webhooks")
}

func getWebhook(s *server, ctx context.Context, actor entente.Actor, in *ByWebhookID) (*one[Webhook], error) {
	return webhook(s.Notify.Hook(ctx, actor, in.ID))
}

func webhook(h notify.Hook, err error) (*one[Webhook], error) {
	if err != nil {
		return nil, err
	}
	return &one[Webhook]{webhookOf(h)}, nil
}

func createWebhook(s *server, ctx context.Context, actor entente.Actor, in *struct{ Body NewWebhook }) (*one[WebhookSecret], error) {
	secret, made, err := s.Notify.CreateHook(ctx, actor, in.Body.hook())
	if err != nil {
		return nil, err
	}
	return &one[WebhookSecret]{WebhookSecret{Webhook: webhookOf(made), Secret: secret}}, nil
}

func changeWebhook(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByWebhookID
	Body NewWebhook
}) (*one[Webhook], error) {
	return webhook(s.Notify.ChangeHook(ctx, actor, in.ID, in.Body.hook()))
}

func removeWebhook(s *server, ctx context.Context, actor entente.Actor, in *ByWebhookID) (*one[Webhook], error) {
	h, err := s.Notify.Hook(ctx, actor, in.ID)
	if err == nil {
		err = s.Notify.RemoveHook(ctx, actor, in.ID)
	}
	return webhook(h, err)
}

func pauseWebhook(s *server, ctx context.Context, actor entente.Actor, in *ByWebhookID) (*one[Webhook], error) {
	return webhook(s.Notify.PauseHook(ctx, actor, in.ID, true))
}

func resumeWebhook(s *server, ctx context.Context, actor entente.Actor, in *ByWebhookID) (*one[Webhook], error) {
	return webhook(s.Notify.PauseHook(ctx, actor, in.ID, false))
}

func rotateSecret(s *server, ctx context.Context, actor entente.Actor, in *ByWebhookID) (*one[WebhookSecret], error) {
	secret, h, err := s.Notify.RotateSecret(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	return &one[WebhookSecret]{WebhookSecret{Webhook: webhookOf(h), Secret: secret}}, nil
}

func testWebhook(s *server, ctx context.Context, actor entente.Actor, in *ByWebhookID) (*one[Webhook], error) {
	err := s.Notify.TestHook(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	return getWebhook(s, ctx, actor, in)
}

// Replayed says how many deliveries are made again.
type Replayed struct {
	Deliveries int `json:"deliveries"`
}

func replayFailed(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByWebhookID
	Since time.Time `query:"since" doc:"Only what happened since then; without it, all that is still known."`
}) (*one[Replayed], error) {
	n, err := s.Notify.ReplayFailed(ctx, actor, in.ID, in.Since)
	if err != nil {
		return nil, err
	}
	return &one[Replayed]{Replayed{n}}, nil
}

// WebhookDelivery is one event for one webhook.
type WebhookDelivery struct {
	ID       string     `json:"id" doc:"The webhook-id, the same at every attempt."`
	Webhook  string     `json:"webhook"`
	Event    int64      `json:"event" doc:"The seq of the event."`
	Kind     string     `json:"kind"`
	Subject  string     `json:"subject"`
	State    string     `json:"state" doc:"waiting, delivered or failed."`
	Attempts int        `json:"attempts"`
	Created  time.Time  `json:"created"`
	Tried    *time.Time `json:"tried,omitempty"`
	Due      *time.Time `json:"due,omitempty" doc:"Of the next attempt, while it waits."`
	Code     int        `json:"code,omitempty" doc:"The status of the latest answer; absent where none came."`
	Took     int64      `json:"took_ms,omitempty" doc:"Milliseconds of the latest attempt."`
	Error    string     `json:"error,omitempty"`
}

func deliveryOf(d notify.Delivery) WebhookDelivery {
	w := WebhookDelivery{
		ID: d.ID, Webhook: d.Hook, Event: d.Seq, Kind: string(d.Kind), Subject: d.Subject, State: string(d.State), Attempts: d.Attempts,
		Created: d.Created, Code: d.Code, Took: d.Took.Milliseconds(), Error: d.Error,
	}
	if !d.Tried.IsZero() {
		w.Tried = &d.Tried
	}
	if d.State == notify.Waiting {
		w.Due = &d.Due
	}
	return w
}

func listDeliveries(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Paging
	Webhook string `query:"webhook" maxLength:"64" doc:"Only those of this webhook."`
	State   string `query:"state" enum:"waiting,delivered,failed" doc:"Only those in this state."`
}) (*listOutput[WebhookDelivery], error) {
	place := []string{"webhook-deliveries", in.Webhook, in.State}
	pos, limit, err := in.place(place...)
	if err != nil {
		return nil, err
	}
	found, total, err := s.Notify.Deliveries(ctx, actor, notify.Which{Hook: in.Webhook, State: notify.DeliveryState(in.State)}, pos.offset, limit)
	if err != nil {
		return nil, err
	}
	out := &listOutput[WebhookDelivery]{Body: List[WebhookDelivery]{Items: orEmpty(each(found, deliveryOf)), Total: &total}}
	if next := pos.offset + len(found); next < total && len(found) > 0 {
		out.Body.Next = cursor(position{offset: next}, place...)
	}
	return out, nil
}

func getDelivery(s *server, ctx context.Context, actor entente.Actor, in *ByWebhookID) (*one[WebhookDelivery], error) {
	d, err := s.Notify.Delivery(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	return &one[WebhookDelivery]{deliveryOf(d)}, nil
}

func replayDelivery(s *server, ctx context.Context, actor entente.Actor, in *ByWebhookID) (*one[WebhookDelivery], error) {
	err := s.Notify.Replay(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	return getDelivery(s, ctx, actor, in)
}
