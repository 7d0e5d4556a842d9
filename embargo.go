package entente

import (
	"fmt"
	"time"
)

// EmbargoState is where an embargo stands.
type EmbargoState string

// The states. Proposed and revised wait for the other side; both sides accept before
// it runs, or runs on by new terms.
const (
	EmbargoProposed EmbargoState = "proposed"
	EmbargoRunning  EmbargoState = "running"
	EmbargoRevised  EmbargoState = "revised" // new terms are proposed; the old ones hold until both accept
	EmbargoReleased EmbargoState = "released"
	EmbargoRefused  EmbargoState = "refused"
)

// EmbargoStep is what one side does about an embargo; the body of an entry of
// [EntryEmbargo].
type EmbargoStep struct {
	Act EmbargoAct `json:"act"`
	// Until is the end that is proposed: when it comes, the embargo is over.
	Until  time.Time `json:"until,omitzero"`
	Reason string    `json:"reason,omitempty"`
}

// EmbargoAct is one act.
type EmbargoAct string

// The acts.
const (
	ProposeEmbargo EmbargoAct = "propose"
	AcceptEmbargo  EmbargoAct = "accept"
	RefuseEmbargo  EmbargoAct = "refuse"
	ReviseEmbargo  EmbargoAct = "revise" // proposes other terms, of one that runs or is proposed
	ReleaseEmbargo EmbargoAct = "release"
)

// Embargo is the agreement of two parties that nobody passes something on before a
// time. The zero value is none.
type Embargo struct {
	State EmbargoState `json:"state"`
	Until time.Time    `json:"until,omitzero"` // in force
	// Proposed is the end that waits for the other side, and By who proposed it.
	Proposed time.Time `json:"proposed,omitzero"`
	By       PartyID   `json:"by,omitempty"`
	// ReleasedBy are those who want it to end early; it ends when both do.
	ReleasedBy PartyID `json:"released_by,omitempty"`
}

// Active says whether nobody may pass it on at a time. While it is only proposed,
// what it is about is held back too: else a proposal would come too late.
func (e Embargo) Active(at time.Time) bool {
	switch e.State {
	case EmbargoProposed:
		return at.Before(e.Proposed)
	case EmbargoRunning, EmbargoRevised:
		return at.Before(e.Until)
	}
	return false
}

// Step applies what one of the two sides does, at a time.
func (e Embargo) Step(by PartyID, s EmbargoStep, at time.Time) (Embargo, error) {
	wrong := func() (Embargo, error) {
		return e, fmt.Errorf("an embargo that is %s cannot be changed by %q", stateWord(e.State), s.Act)
	}
	if (e.State == EmbargoProposed || e.State == EmbargoRunning || e.State == EmbargoRevised) && !e.Active(at) {
		e.State = EmbargoReleased // its end has come
	}
	running := e.State == EmbargoRunning || e.State == EmbargoRevised
	switch s.Act {
	case ProposeEmbargo:
		if e.State != "" && e.State != EmbargoRefused && e.State != EmbargoReleased {
			return wrong()
		}
		if !s.Until.After(at) {
			return e, fmt.Errorf("an embargo ends in the future")
		}
		return Embargo{State: EmbargoProposed, Proposed: s.Until, By: by}, nil
	case AcceptEmbargo:
		if e.State != EmbargoProposed && e.State != EmbargoRevised || e.By == by {
			return wrong()
		}
		return Embargo{State: EmbargoRunning, Until: e.Proposed}, nil
	case RefuseEmbargo:
		switch {
		case e.By == by:
			return wrong()
		case e.State == EmbargoProposed:
			return Embargo{State: EmbargoRefused}, nil
		case e.State == EmbargoRevised:
			return Embargo{State: EmbargoRunning, Until: e.Until, ReleasedBy: e.ReleasedBy}, nil
		}
		return wrong()
	case ReviseEmbargo:
		if !running && e.State != EmbargoProposed {
			return wrong()
		}
		if !s.Until.After(at) {
			return e, fmt.Errorf("an embargo ends in the future; to end it now, release it")
		}
		if !running {
			return Embargo{State: EmbargoProposed, Proposed: s.Until, By: by}, nil
		}
		return Embargo{State: EmbargoRevised, Until: e.Until, Proposed: s.Until, By: by}, nil
	case ReleaseEmbargo:
		switch {
		case e.State == EmbargoProposed && e.By == by:
			return Embargo{State: EmbargoReleased}, nil
		case !running || e.ReleasedBy == by:
			return wrong()
		case e.ReleasedBy != "":
			return Embargo{State: EmbargoReleased}, nil
		}
		e.ReleasedBy = by
		return e, nil
	}
	return wrong()
}

func stateWord(s EmbargoState) string {
	if s == "" {
		return "not proposed"
	}
	return string(s)
}
