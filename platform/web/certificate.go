package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/platform/clock"
)

const (
	certLife    = 397 * 24 * time.Hour // browsers refuse certificates that live longer
	certRenew   = 30 * 24 * time.Hour  // before the end
	certRecheck = time.Minute          // how soon a replaced file is noticed
)

// certificates hands out the certificate for HTTPS: the operator's files, read again when they change, or a
// self-signed one kept in the data folder, made anew before it ends or when its names no longer fit.
type certificates struct {
	clock    clock.Clock
	certFile string
	keyFile  string
	own      bool // self-signed: may be rewritten
	names    []string

	mu      sync.Mutex
	cert    *tls.Certificate
	stamp   time.Time // of the file, when read
	checked time.Time
}

// newCertificates prepares the certificate so that a mistake is found at the start.
func newCertificates(cfg Config) (*certificates, error) {
	c := &certificates{clock: cfg.Clock, certFile: cfg.CertFile, keyFile: cfg.KeyFile}
	if c.certFile == "" {
		if cfg.Data == "" {
			return nil, errors.New("HTTPS needs a data folder for its certificate, or --tls-cert and --tls-key")
		}
		dir := filepath.Join(cfg.Data, "tls")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("the folder for the certificate cannot be made: %w", err)
		}
		c.own = true
		c.certFile, c.keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		c.names = append([]string{"localhost", "127.0.0.1", "::1"}, cfg.Advertise...)
		if host, err := os.Hostname(); err == nil && host != "" {
			c.names = append(c.names, host)
		}
	}
	if _, err := c.get(); err != nil {
		return nil, err
	}
	return c, nil
}

// Get is for tls.Config.GetCertificate.
func (c *certificates) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.get() }

func (c *certificates) get() (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.Now()
	if c.cert != nil && now.Sub(c.checked) < certRecheck {
		return c.cert, nil
	}
	c.checked = now
	err := c.load()
	if c.own && (err != nil || !c.fits(now)) {
		if err = c.make(now); err == nil {
			err = c.load()
		}
	}
	if err != nil && c.cert != nil {
		return c.cert, nil // a half-written file: the old one serves on
	}
	if err != nil {
		return nil, fmt.Errorf("the certificate cannot be used: %w", err)
	}
	return c.cert, nil
}

func (c *certificates) load() error {
	info, err := os.Stat(c.certFile)
	if err != nil {
		return err
	}
	if c.cert != nil && info.ModTime().Equal(c.stamp) {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.cert, c.stamp = &pair, info.ModTime()
	return nil
}

func (c *certificates) fits(now time.Time) bool {
	leaf := c.cert.Leaf
	if leaf == nil || now.Add(certRenew).After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
		return false
	}
	for _, name := range c.names {
		if ip := net.ParseIP(name); ip != nil {
			if !slices.ContainsFunc(leaf.IPAddresses, ip.Equal) {
				return false
			}
		} else if !slices.Contains(leaf.DNSNames, name) {
			return false
		}
	}
	return true
}

// make writes a new self-signed certificate (RFC 5280, ECDSA P-256).
func (c *certificates) make(now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return err
	}
	tpl := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Kapok", Organization: []string{"Kapok self-signed"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, name := range c.names {
		if ip := net.ParseIP(name); ip != nil {
			tpl.IPAddresses = append(tpl.IPAddresses, ip)
		} else {
			tpl.DNSNames = append(tpl.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, key.Public(), key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := replace(c.keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})); err != nil {
		return err
	}
	c.cert, c.stamp = nil, time.Time{}
	return replace(c.certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// replace writes a file that only the owner can read, whole or not at all.
func replace(name string, b []byte) error {
	tmp := name + ".new"
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, name)
}
