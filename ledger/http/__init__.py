"""The HTTP surface: requests are read strictly, admitted within bounds, and answered or refused in words.

Guarantees that no client, however slow or silent, holds memory or a place without end. It may import everything but
the process."""
