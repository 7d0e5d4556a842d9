package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/entente-project/entente/internal/draw"
)

//go:embed static
var files embed.FS

// asset is one file as it is served: under a name that changes with its content, so
// that browsers may keep it for ever.
type asset struct {
	path   string
	kind   string
	plain  []byte
	packed []byte
}

var assets = load()

func load() map[string]asset {
	var sheet bytes.Buffer
	loaded := map[string]asset{}
	entries, err := files.ReadDir("static")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		content, err := files.ReadFile("static/" + e.Name())
		if err != nil {
			panic(err)
		}
		switch path.Ext(e.Name()) {
		case ".css":
			sheet.Write(content)
		case ".js":
			loaded[e.Name()] = newAsset(e.Name(), "text/javascript; charset=utf-8", content)
		case ".svg":
			loaded[e.Name()] = newAsset(e.Name(), "image/svg+xml", content)
		}
	}
	sheet.WriteString("@layer parts {\n" + draw.Style + "}\n")
	loaded["entente.css"] = newAsset("entente.css", "text/css; charset=utf-8", sheet.Bytes())
	return loaded
}

func newAsset(name, kind string, content []byte) asset {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	a := asset{
		path:  StaticPrefix + strings.TrimSuffix(name, ext) + "." + base64.RawURLEncoding.EncodeToString(sum[:9]) + ext,
		kind:  kind,
		plain: content,
	}
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	_, err := w.Write(content)
	if err == nil {
		err = w.Close()
	}
	if err == nil && packed.Len() < len(content) {
		a.packed = packed.Bytes()
	}
	return a
}

// StaticPrefix is where the style sheet and the pictures are served.
const StaticPrefix = "/static/"

// Asset is the path under which a file is served.
func Asset(name string) string { return assets[name].path }

// Static serves the style sheet and the pictures.
func Static(w http.ResponseWriter, r *http.Request) bool {
	for _, a := range assets {
		if a.path == r.URL.Path {
			a.serve(w, r)
			return true
		}
	}
	return false
}

func (a asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	body := a.plain
	if a.packed != nil && AcceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body = a.packed
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // the reader has gone; there is nobody to tell
}

// AcceptsGzip says whether the browser takes packed answers.
func AcceptsGzip(r *http.Request) bool {
	return slices.ContainsFunc(strings.Split(r.Header.Get("Accept-Encoding"), ","), func(e string) bool {
		name, weight, _ := strings.Cut(strings.TrimSpace(e), ";")
		return strings.TrimSpace(name) == "gzip" && strings.ReplaceAll(weight, " ", "") != "q=0"
	})
}
