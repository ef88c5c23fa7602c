"""TLS from files, for every port that other machines reach: the certificate, and handshakes with bounds."""
