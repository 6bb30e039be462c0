"""What several fault tests use and no fixture gives."""
