# One image for every Python process: the command says which.
FROM python:3.11-slim-bookworm

RUN useradd --uid 10001 --create-home tower \
    && install -d -o tower -g tower /var/lib/tower /book

WORKDIR /app
COPY pyproject.toml constraints.txt README.md ./
COPY rules rules
COPY collector collector
COPY tower tower
COPY dashboards dashboards
RUN pip install --no-cache-dir --disable-pip-version-check -c constraints.txt -e .
COPY docker/entrypoint.sh /usr/local/bin/entrypoint

USER tower
ENV PYTHONUNBUFFERED=1 TOWER_HOST=0.0.0.0 TOWER_DATA_DIR=/var/lib/tower
VOLUME /var/lib/tower
EXPOSE 8080
ENTRYPOINT ["entrypoint"]
CMD ["tower", "run"]
