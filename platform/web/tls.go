package web

import "crypto/tls"

// TLS gives the server's certificate for other protocols of the house (SIP over TLS): the one given, or the
// self-signed one of the data folder.
func (s *Server) TLS() (*tls.Config, error) {
	certs, err := newCertificates(s.cfg)
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certs.Get}, nil
}
