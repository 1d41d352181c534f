package store

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// modernc.org/sqlite is C translated against one version of modernc.org/libc; with another it may compile and
// corrupt. So our go.mod must choose the version that sqlite's own names.
func TestLibcIsTheOneSQLiteWasMadeWith(t *testing.T) {
	list := func(format, module string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", format, module).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	mod, err := os.ReadFile(list("{{.GoMod}}", "modernc.org/sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`modernc\.org/libc (v\S+)`).FindSubmatch(mod)
	if m == nil {
		t.Fatal("modernc.org/sqlite does not require modernc.org/libc any more")
	}
	if have, want := list("{{.Version}}", "modernc.org/libc"), string(m[1]); have != want {
		t.Errorf("go.mod has modernc.org/libc %s; SQLite was made with %s: go get modernc.org/libc@%s", have, want, want)
	}
}
