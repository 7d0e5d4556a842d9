package web

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

var (
	errNoPage   = entente.NotFound("There is no page at this address. It may have moved, or the link may be incomplete.")
	errForeign  = entente.Denied("This request came from another web site, so it was not carried out. Open the page here and send the form again.")
	errHalfway  = entente.Denied("The second step of signing in is still due.")
	errNoFile   = entente.Invalid("No file was chosen. Choose one and send the form again.")
	errSignedIn = entente.Denied("Please sign in first.")
)

// wrongMethod is a request to a page by a method that it does not know.
type wrongMethod struct{ method string }

func (e *wrongMethod) Error() string { return "the page does not answer to " + e.method }

// panicked is a fault that some code did not expect.
type panicked struct{ fault any }

// unreadable is an upload that broke off or is no form.
func unreadable(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return entente.Invalid("The file did not arrive as a whole. Send it again.").Because(err)
}

// asInvalid says whether err is about what was sent, and not about the program.
func asInvalid(err error, known **entente.Error) bool {
	if !errors.As(err, known) {
		return false
	}
	return (*known).Kind == entente.KindInvalid || (*known).Kind == entente.KindTooLarge || (*known).Kind == entente.KindConflict
}

func (e *panicked) Error() string { return fmt.Sprintf("panic: %v", e.fault) }

// recovered turns a panic into an error page. It must be deferred itself.
func (v *visit) recovered() {
	fault := recover()
	if fault == nil {
		return
	}
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) || v.answer != 0 {
		panic(http.ErrAbortHandler) // the answer is half sent: let it break visibly
	}
	v.fail(&panicked{fault: fault})
}

// failure is what an error page shows.
type failure struct {
	Status int
	Title  string
	Text   string
	Items  []string
	Next   ui.Link
	ID     string // under which the log knows more
}

// fail answers with the page of an error. What is no [entente.Error] is a fault of
// the program: the visitor gets a number, the log gets the cause.
func (v *visit) fail(err error) {
	if v.answer != 0 {
		v.Log.ErrorContext(v.r.Context(), "an answer broke off", slog.String("path", v.r.URL.Path), slog.Any("error", err))
		panic(http.ErrAbortHandler) // so that the browser sees it broken and not complete
	}
	if errors.Is(err, context.Canceled) && v.r.Context().Err() != nil {
		return // nobody waits any more
	}
	if errors.Is(err, errHalfway) {
		_ = v.redirect("/sign-in/code")
		return
	}
	if v.askProof(err) {
		return
	}
	v.Identity.RecordDenied(v.r.Context(), err)
	if errors.Is(err, errSignedIn) {
		v.toSignIn()
		return
	}
	f := v.failureOf(err)
	if f.Status == http.StatusInternalServerError {
		f.ID = strings.ToLower(rand.Text()[:10])
		attributes := []any{slog.String("id", f.ID), slog.String("method", v.r.Method), slog.String("path", v.r.URL.Path), slog.Any("error", err)}
		var p *panicked
		if errors.As(err, &p) {
			attributes = append(attributes, slog.String("stack", string(debug.Stack())))
		}
		v.Log.ErrorContext(v.r.Context(), "a page could not be made", attributes...)
	}
	f.Next = ui.Link{Text: v.T("Go to the start page"), Href: "/"}
	if v.actor.Org != "" {
		f.Next = ui.Link{Text: v.T("Go to Home"), Href: v.in()}
	}
	for _, h := range []string{"Content-Encoding", "Content-Length", "Content-Disposition"} {
		v.w.Header().Del(h)
	}
	page := bareFailure(f)
	if v.actor.Org != "" && v.who != nil {
		page = framedFailure(v.frame(f.Title), f)
	}
	shown := v.show(f.Status, page)
	if shown != nil {
		v.Log.ErrorContext(v.r.Context(), "an error page could not be made", slog.Any("error", shown))
		http.Error(v.w, f.Text, f.Status)
	}
}

func (v *visit) failureOf(err error) failure {
	var known *entente.Error
	var tooLarge *http.MaxBytesError
	var method *wrongMethod
	switch {
	case errors.As(err, &tooLarge):
		return failure{Status: http.StatusRequestEntityTooLarge, Title: v.T("Too large"), Text: v.T("What was sent is larger than the limit of %s.", v.reader().Bytes(tooLarge.Limit))}
	case errors.As(err, &method):
		return failure{Status: http.StatusMethodNotAllowed, Title: v.T("Not like this"), Text: v.T("This address answers to another kind of request. Open the page and use the form on it.")}
	case errors.Is(err, context.DeadlineExceeded):
		return failure{Status: http.StatusServiceUnavailable, Title: v.T("This took too long"), Text: v.T("The answer was not ready in time and nothing was changed. Try again in a moment, or narrow what you ask for.")}
	case errors.As(err, &known) && known.Kind != entente.KindInternal:
		f := failure{Text: lang.Capital(v.T("%s", known.Message))}
		for _, field := range known.Fields {
			f.Items = append(f.Items, v.T("%s", field))
		}
		status, title := statusOf(known.Kind)
		f.Status, f.Title = status, v.T(title)
		return f
	}
	return failure{
		Status: http.StatusInternalServerError, Title: v.T("Something went wrong here"),
		Text: v.T("This is a fault of the program, not of what you did. Nothing was changed. Try again; if it stays, tell whoever runs this node the number below."),
	}
}

// statusOf maps the kinds of errors to HTTP and to the title of their page.
func statusOf(k entente.Kind) (int, entente.Text) {
	switch k {
	case entente.KindInvalid:
		return http.StatusUnprocessableEntity, "Something is not right with what was sent"
	case entente.KindNotFound:
		return http.StatusNotFound, "Not found"
	case entente.KindDenied:
		return http.StatusForbidden, "Not allowed"
	case entente.KindConflict:
		return http.StatusConflict, "Something has changed meanwhile"
	case entente.KindTooLarge:
		return http.StatusRequestEntityTooLarge, "Too large"
	case entente.KindUnavailable:
		return http.StatusServiceUnavailable, "Not available just now"
	}
	return http.StatusInternalServerError, "Something went wrong here"
}
