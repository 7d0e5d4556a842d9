package entente

import (
	"errors"
	"strings"
)

// Kind is the class of an error, from which every door derives its answer (HTTP
// status, exit code). The text form is stable on the wire.
type Kind string

// The kinds of errors.
const (
	KindInvalid     Kind = "invalid"     // the input is wrong; the message says where and what to do
	KindNotFound    Kind = "not-found"   // there is no such thing, or the actor may not know of it
	KindDenied      Kind = "denied"      // the actor may not do this
	KindConflict    Kind = "conflict"    // somebody else changed it meanwhile, or it exists already
	KindTooLarge    Kind = "too-large"   // a size limit was hit; the message names it
	KindUnavailable Kind = "unavailable" // try again later
	KindInternal    Kind = "internal"    // a fault of the program; the cause goes to the log only
)

// Error has two faces: a kind and a message that is safe to show to people, in the
// language of whoever reads it, and a cause for the log.
type Error struct {
	Kind    Kind
	Message Message
	// Fields lists what is wrong in which place, where the input has places.
	Fields []FieldError
	// Err is the cause; it is never shown to a person.
	Err error
}

// FieldError says what is wrong at one place of an input.
type FieldError struct {
	Line    int     `json:"line,omitempty"`  // 1-based line of a file, 0 if there is none
	Field   string  `json:"field,omitempty"` // path of the field: "processes[2].bia.rto"
	Message Message `json:"message"`
}

// Say gives the place and the message: "line 12, processes[2].bia.rto: …".
func (f FieldError) Say() Message {
	switch {
	case f.Line > 0 && f.Field != "":
		return Say("line %d, %s: %s", f.Line, f.Field, f.Message)
	case f.Line > 0:
		return Say("line %d: %s", f.Line, f.Message)
	case f.Field != "":
		return Say("%s: %s", f.Field, f.Message)
	}
	return f.Message
}

// String says it in English.
func (f FieldError) String() string { return f.Say().String() }

// Error gives the message with its fields, a line each, in English; the cause is not
// part of it.
func (e *Error) Error() string {
	if len(e.Fields) == 0 {
		return e.Message.String()
	}
	var b strings.Builder
	b.WriteString(e.Message.String())
	for _, f := range e.Fields {
		b.WriteString("\n  ")
		b.WriteString(f.String())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Because gives the error its cause, of which nothing is shown.
func (e *Error) Because(err error) *Error {
	e.Err = err
	return e
}

// Invalid is an error of [KindInvalid].
//
// An argument that is an error is the cause, of this and of all the others below:
// it is wrapped, and of what it says only the message of an [Error] is shown. To show
// what another error says, give its text as an argument.
func Invalid(text Text, args ...any) *Error { return newError(KindInvalid, text, args) }

// NotFound is an error of [KindNotFound].
func NotFound(text Text, args ...any) *Error { return newError(KindNotFound, text, args) }

// Denied is an error of [KindDenied].
func Denied(text Text, args ...any) *Error { return newError(KindDenied, text, args) }

// Conflict is an error of [KindConflict].
func Conflict(text Text, args ...any) *Error { return newError(KindConflict, text, args) }

// TooLarge is an error of [KindTooLarge]; the message names the limit.
func TooLarge(text Text, args ...any) *Error { return newError(KindTooLarge, text, args) }

// Unavailable is an error of [KindUnavailable].
func Unavailable(text Text, args ...any) *Error { return newError(KindUnavailable, text, args) }

// unsaid stands where a message names a cause that is not for people.
const unsaid Text = "the log says why"

func newError(kind Kind, text Text, args []any) *Error {
	e := &Error{Kind: kind, Message: Say(text, args...)}
	for _, a := range args {
		if err, is := a.(error); is {
			e.Err = err
			break
		}
	}
	return e
}

// MessageOf gives what a person may know of an error: the message of the first
// [Error] in its chain.
func MessageOf(err error) Message {
	var known *Error
	if errors.As(err, &known) {
		return known.Message
	}
	return Say(unsaid)
}

// KindOf gives the kind of the first [Error] in err's chain; anything else is a
// fault of the program.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return KindInternal
}
