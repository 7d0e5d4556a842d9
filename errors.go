package entente

import (
	"errors"
	"fmt"
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

// Error has two faces: a kind and a message that is safe to show to people, and a
// cause for the log.
type Error struct {
	Kind    Kind
	Message string
	// Fields lists what is wrong in which place, where the input has places.
	Fields []FieldError
	// Err is the cause; it is never shown to a person.
	Err error
}

// FieldError says what is wrong at one place of an input.
type FieldError struct {
	Line    int    `json:"line,omitempty"`  // 1-based line of a file, 0 if there is none
	Field   string `json:"field,omitempty"` // path of the field: "processes[2].bia.rto"
	Message string `json:"message"`
}

// String gives the place and the message: "line 12, processes[2].bia.rto: …".
func (f FieldError) String() string {
	switch {
	case f.Line > 0 && f.Field != "":
		return fmt.Sprintf("line %d, %s: %s", f.Line, f.Field, f.Message)
	case f.Line > 0:
		return fmt.Sprintf("line %d: %s", f.Line, f.Message)
	case f.Field != "":
		return fmt.Sprintf("%s: %s", f.Field, f.Message)
	}
	return f.Message
}

// Error gives the message with its fields, a line each; the cause is not part of it.
func (e *Error) Error() string {
	if len(e.Fields) == 0 {
		return e.Message
	}
	var b strings.Builder
	b.WriteString(e.Message)
	for _, f := range e.Fields {
		b.WriteString("\n  ")
		b.WriteString(f.String())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Invalid is an error of [KindInvalid].
func Invalid(format string, args ...any) *Error { return newError(KindInvalid, format, args) }

// NotFound is an error of [KindNotFound].
func NotFound(format string, args ...any) *Error { return newError(KindNotFound, format, args) }

// Denied is an error of [KindDenied].
func Denied(format string, args ...any) *Error { return newError(KindDenied, format, args) }

// Conflict is an error of [KindConflict].
func Conflict(format string, args ...any) *Error { return newError(KindConflict, format, args) }

// TooLarge is an error of [KindTooLarge]; the message names the limit.
func TooLarge(format string, args ...any) *Error { return newError(KindTooLarge, format, args) }

// Unavailable is an error of [KindUnavailable].
func Unavailable(format string, args ...any) *Error { return newError(KindUnavailable, format, args) }

func newError(kind Kind, format string, args []any) *Error {
	wrapped := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: wrapped.Error(), Err: errors.Unwrap(wrapped)}
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
